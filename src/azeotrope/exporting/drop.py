"""How much accuracy a file loses against the trained network, on the same images, and how sure that is."""

from __future__ import annotations

import math
from contextlib import suppress
from statistics import NormalDist

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from azeotrope.errors import RunFailed
from azeotrope.kinds._kind import UNSCALED, Kind, Labels
from azeotrope.record.interval import Interval
from azeotrope.record.storage.verification import Verdict

LEVEL = 0.95
_RESAMPLES = 1000


def drop(kind: Kind, network: Float[Tensor, "n C"], file: Float[Tensor, "n C"], labels: Labels) -> Interval:
    """Error of the file less that of the network, paired over images; above 0 the file is worse.

    Where most draws of these images cannot be judged by a measure of one's own, nothing is claimed: [-1, 1].
    """
    targets = kind.targets(labels, UNSCALED)
    value = kind.error(file, targets) - kind.error(network, targets)
    right = [kind.right(outputs, labels, UNSCALED) for outputs in (network, file)]
    if kind.over_images and right[0] is not None and right[1] is not None:
        return paired_shares(right[0], right[1])
    random = np.random.default_rng(0)
    draws = list[float]()
    for _ in range(_RESAMPLES):
        rows = torch.from_numpy(random.integers(len(network), size=len(network)))
        with suppress(RunFailed):  # a measure of one's own that needs a class which this draw lacks
            draws.append(kind.error(file[rows], targets[rows]) - kind.error(network[rows], targets[rows]))
    if len(draws) < _RESAMPLES / 2:
        return Interval(value, -1.0, 1.0, LEVEL)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(value, min(float(low), value), max(float(high), value), LEVEL)


def paired_shares(network: Bool[np.ndarray, " n"], file: Bool[np.ndarray, " n"]) -> Interval:
    """The difference of two shares of wrong answers on the same images, by the adjusted Wald interval.

    One image is added to either kind of disagreement. Bonett & Price 2012, "Adjusted Wald confidence interval for a
    difference of binomial proportions based on paired data", equation 5.
    """
    n, lost, won = len(network), int((network & ~file).sum()), int((~network & file).sum())
    p_lost, p_won = (lost + 1) / (n + 2), (won + 1) / (n + 2)
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * math.sqrt((p_lost + p_won - (p_lost - p_won) ** 2) / (n + 2))
    value, middle = (lost - won) / n, p_lost - p_won
    return Interval(value, max(-1.0, min(value, middle - half)), min(1.0, max(value, middle + half)), LEVEL)


def verdict(lost: Interval, max_drop: float) -> Verdict:
    """Whether the whole interval is below, or above, what may be lost."""
    return "LOSES LESS" if lost.high < max_drop else "LOSES MORE" if lost.low > max_drop else "INCONCLUSIVE"
