"""What the runs say without any law: paired differences at each size, a check beside the fitted boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from azeotrope.curves.cells import Floats, JointCells
from azeotrope.record.interval import Interval
from azeotrope.verdicts.paired import t_interval

CHECK_LEVEL = 0.95
CERTAIN = 0.95


@dataclass(frozen=True)
class SizeCheck:
    """At `size`: mean of baseline error minus challenger error over paired runs, with a t interval (None: one pair)."""

    size: float
    pairs: int
    difference: float
    interval: Interval | None


def form_free(cells: JointCells) -> tuple[SizeCheck, ...]:
    """One check a size that both arms share; pairs are replicates that both arms have."""
    errors = np.exp(cells.log_error)
    checks = []
    for size, challenger, baseline in zip(cells.sizes, errors[0], errors[1], strict=True):
        differences = (baseline - challenger)[~np.isnan(baseline - challenger)]
        if len(differences):
            interval = t_interval(differences, CHECK_LEVEL)
            checks.append(SizeCheck(float(size), len(differences), float(differences.mean()), interval))
    return tuple(checks)


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
