"""What the runs say without any law: paired differences at each size, a check beside the fitted boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from azeotrope.curves.cells import Floats, JointCells
from azeotrope.record.interval import Interval
from azeotrope.verdicts.paired import normal_interval, widen

CHECK_LEVEL = 0.95
CERTAIN = 0.95


@dataclass(frozen=True)
class SizeCheck:
    """At `size`: mean of baseline error minus challenger error over paired runs, with the interval of seeds and test
    images together (None: no arm was repeated anywhere).
    """

    size: float
    pairs: int
    difference: float
    interval: Interval | None


def form_free(cells: JointCells) -> tuple[SizeCheck, ...]:
    """One check a size that both arms share; pairs are replicates that both arms have.

    The spread over seeds is that of all sizes together, as in the boundary: three seeds of one size say little of it.
    """
    errors = np.exp(cells.log_error)
    checks = []
    for at, size in enumerate(cells.sizes.tolist()):
        differences = errors[1, at] - errors[0, at]
        differences = differences[~np.isnan(differences)]
        if pairs := len(differences):
            mean = float(differences.mean())
            checks.append(SizeCheck(size, pairs, mean, _interval(cells, at, mean, pairs)))
    return tuple(checks)


def _interval(cells: JointCells, at: int, difference: float, pairs: int) -> Interval | None:
    """Of the mean of so many paired differences at size number `at`."""
    if cells.noise is None:
        return None
    by_log = np.exp(cells.mean[:2, at]) * np.array([-1.0, 1.0])  # what the difference gains by a log error
    one_pair = by_log @ cells.noise[at][:2, :2] @ by_log
    images = by_log @ cells.tested.covariance[:2, at, :2, at] @ by_log
    half = special.stdtrit(cells.freedom, (1 + CHECK_LEVEL) / 2) * np.sqrt(one_pair / pairs)
    seeds = Interval(difference, difference - half, difference + half, CHECK_LEVEL)
    parts = [seeds, normal_interval(difference, float(np.sqrt(max(images, 0.0))), CHECK_LEVEL)]
    return widen(difference, parts, low=-np.inf, high=np.inf, level=CHECK_LEVEL)


def disagreements(checks: tuple[SizeCheck, ...], p_win: Floats) -> tuple[str, ...]:
    """A warning for each size where runs and laws are both sure, of opposites; `p_win` [checks] at their sizes."""
    return tuple(_warning(check) for check, p in zip(checks, p_win, strict=True) if _opposed(check.interval, float(p)))


def _opposed(interval: Interval | None, p: float) -> bool:
    return interval is not None and ((interval.high < 0 and p > CERTAIN) or (interval.low > 0 and p < 1 - CERTAIN))


def _warning(check: SizeCheck) -> str:
    better = "baseline" if check.difference < 0 else "challenger"
    return (
        f"at {check.size:g} the runs themselves say the {better} is better (paired difference "
        f"{check.difference:+.3g} in error), the fitted laws say the opposite: trust the runs there"
    )
