"""Curves that no law here follows: an error that rises with more images, by more than its noise.

Dips and peaks are real (double descent, a recipe that suits some sizes), and a law that falls draws through them. It
says where they are and changes nothing: the draws are wider there already, for every law misses.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from azeotrope.curves.cells import Floats, JointCells
from azeotrope.curves.noise import USUAL_SPREAD

BY_CHANCE = 0.02
"""A curve that falls, or stays, is called irregular in no more than this share of cases."""
LEAST_FREEDOM = 2


def irregularities(cells: JointCells) -> tuple[str, ...]:
    """A sentence for each arm whose error rises; of several rises the clearest. `cells` are those of single arms too.

    Where no arm was repeated, runs are taken to have the usual spread.
    """
    found = [_clearest(cells, arm) for arm, flat in enumerate(cells.level) if not flat]
    return tuple(sentence for sentence in found if sentence)


def _clearest(cells: JointCells, arm: int) -> str:
    there = np.flatnonzero(cells.runs[arm] > 0)
    seen, covariance = cells.mean[arm, there], _covariance(cells, arm)[np.ix_(there, there)]
    freedom = max(LEAST_FREEDOM, cells.freedom) if cells.noise is not None else np.inf
    limit = float(special.stdtrit(freedom, 1 - BY_CHANCE / max(1, len(there) - 1)))
    best, said = limit, ""
    for place in range(1, len(there)):
        before = int(seen[:place].argmin())
        sd = np.sqrt(covariance[place, place] + covariance[before, before] - 2 * covariance[place, before])
        clear = (seen[place] - seen[before]) / max(float(sd), 1e-12)
        if clear > best:
            lower = bool((seen[place:] < seen[before]).any())
            best, said = clear, _said(cells, arm, there[before], there[place], falls=lower)
    return said


def _covariance(cells: JointCells, arm: int) -> Floats:
    """Of one arm's mean log errors by seeds and test images, [n, n]."""
    tested = cells.tested.covariance[arm, :, arm]
    if cells.noise is None:
        return np.asarray(tested + np.diag(USUAL_SPREAD**2 / np.maximum(cells.runs[arm], 1)))
    return np.asarray(tested + cells.covariance()[arm, :, arm])


def _said(cells: JointCells, arm: int, before: int, place: int, *, falls: bool) -> str:
    low, high = (_amount(float(np.exp(cells.mean[arm, i])), cells) for i in (before, place))
    after = "and falls again later" if falls else "and is not lower again at any larger size"
    return (
        f"{cells.arms[arm]}: the error rises from {low} at {cells.sizes[before]:,.0f} to {high} at "
        f"{cells.sizes[place]:,.0f}, by more than its noise, {after}; every law here falls, so doubt what it foresees"
    )


def _amount(error: float, cells: JointCells) -> str:
    return f"{error:.3g}" if cells.chance is None else f"{100 * error:.1f} %"
