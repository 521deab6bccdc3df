"""Variances of paired differences, moderated over a page: few seeds learn from the other pairs how much seeds differ.

Three seeds give a variance two degrees of freedom. Pairs and sizes of one page are alike, so each variance is drawn
towards what they have in common, the more the more alike they are (Smyth 2004, doi 10.2202/1544-6115.1027). It judges
nothing; `verdict` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma

Floats: TypeAlias = NDArray[np.float64]

LIKENESS = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
"""Degrees of freedom that the common variance may be worth; all are averaged, by how well they explain the page."""
WIDER = 1.04
"""Factor on a moderated standard error. Without it pages of arms whose spreads differ by a factor 1.8 have 6 to 7 %
false calls at 5 %; `benchmarks/verdict_power.py` measures, on other seeds, what is left."""
_TIE = 1e-8
"""Variance of seeds that tie, at least: a hundredth of a point, squared."""


@dataclass(frozen=True)
class Spread:
    """Sample variance of one pair's differences over seeds, its degrees of freedom, and the mean error of the pair.

    Variances are compared per unit of error, as a share of wrong images would have them.
    """

    variance: float
    freedom: int
    error: float

    @property
    def relative(self) -> float:
        """Variance per unit of error."""
        return max(self.variance, _TIE) / max(self.error, _TIE)


@dataclass(frozen=True)
class Common:
    """What the pairs of a page share: `weights` [g] of each worth in `LIKENESS`, the common relative variance at each
    (`scales` [g]), and `most`, the degrees of freedom that the runs hold in all.
    """

    weights: Floats
    scales: Floats
    most: float

    def moderate(self, spread: Spread) -> tuple[float, float]:
        """The variance of one pair and its degrees of freedom, after learning from the page."""
        own, worth = spread.freedom, LIKENESS
        variances = (worth * self.scales + own * spread.relative) / (worth + own) * max(spread.error, _TIE)
        freedom = np.minimum(worth + own, max(self.most, own))
        return float(WIDER**2 * self.weights @ variances), float(1 / (self.weights @ (1 / freedom)))


def common(spreads: Sequence[Spread], most: float) -> Common | None:
    """The common variance of a page's spreads; None for fewer than two, which have nothing to learn from.

    `most` is the number of degrees of freedom in the runs: pairs share arms, so (arms - 1) (seeds - 1) a size, fewer
    than the spreads' own together. The likelihood counts for the same share.
    """
    if len(spreads) < 2:
        return None
    own = np.array([spread.freedom for spread in spreads], dtype=float)
    logs = np.log([spread.relative for spread in spreads])
    centre = float((logs - digamma(own / 2) + np.log(own / 2)).mean())
    scales = centre + digamma(LIKENESS / 2) - np.log(LIKENESS / 2)
    share = min(1.0, most / own.sum())
    likely = share * np.array(
        [_log_f(logs - scale, own, worth).sum() for scale, worth in zip(scales, LIKENESS, strict=True)]
    )
    weights = np.exp(likely - likely.max())
    return Common(weights / weights.sum(), np.exp(scales), most)


def _log_f(logs: Floats, own: Floats, worth: float) -> Floats:
    """Log density of log F with `own` [n] and `worth` degrees of freedom."""
    ratio = own / worth * np.exp(logs)
    return np.asarray(own / 2 * np.log(ratio) - (own + worth) / 2 * np.log1p(ratio) - betaln(own / 2, worth / 2))
