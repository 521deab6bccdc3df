"""Which of the seven outcomes the draws support: one needs 90 % of the draws, short of that it is `undetermined`."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from azeotrope.boundaries.crossings import Direction, sign_changes
from azeotrope.curves.cells import Floats

Flags = NDArray[np.bool_]

Outcome = Literal[
    "crossing_bracketed",
    "crossing_extrapolated",
    "distill_always",
    "distill_never",
    "practically_equal",
    "window",
    "undetermined",
]
"""`distill` stands for the challenger, whichever arm that is."""

SURE = 0.9
LIKELY = 0.5
"""Beyond the data a crossing is named when most draws have it; the bound that is given then is one-sided."""
EQUAL_OVER = 2.0
"""`practically_equal` is asked of the upper part of the data, from the largest size / 2 on."""


def decide(difference: Floats, grid: Floats, smallest: float, largest: float, practical: float) -> Outcome:
    """The outcome of `difference` [R, g] (positive: challenger ahead) on `grid` [g]; data lie in [smallest, largest].

    `practical` is the difference, in the unit of the error, below which nobody would care.
    """
    inside = (grid >= smallest) & (grid <= largest)
    if _equal(difference, grid, inside, practical).mean() >= SURE:
        return "practically_equal"
    within, everywhere = sign_changes(difference[:, inside], grid[inside]), sign_changes(difference, grid)
    single = [everywhere.single(way) for way in get_args(Direction)]
    outside = (everywhere.first < smallest) | (everywhere.first > largest)
    ahead, behind = (_better(side * difference[:, inside], practical).mean() >= SURE for side in (1, -1))
    if ahead or behind:
        one_sided: Outcome = "distill_always" if ahead else "distill_never"
        return "crossing_extrapolated" if max((way & outside).mean() for way in single) >= LIKELY else one_sided
    if max(within.single(way).mean() for way in get_args(Direction)) >= SURE:
        return "crossing_bracketed"
    if (within.count > 1).mean() >= SURE:
        return "window"
    return "crossing_extrapolated" if max(way.mean() for way in single) >= SURE else "undetermined"


def _better(data: Floats, practical: float) -> Flags:
    """Draws [R] that are nowhere behind by more than `practical`, ahead by more somewhere, and ahead at the largest
    size: what begins there may go on.
    """
    return np.asarray((data >= -practical).all(axis=1) & (data > practical).any(axis=1) & (data[:, -1] > 0))


def _equal(difference: Floats, grid: Floats, inside: Flags, practical: float) -> Flags:
    """Draws [R] that are within `practical` over the upper data, and nowhere in the data beyond it on both sides."""
    data = difference[:, inside]
    upper = data[:, grid[inside] >= grid[inside][-1] / EQUAL_OVER]
    both_sides = (data > practical).any(axis=1) & (data < -practical).any(axis=1)
    return np.asarray((np.abs(upper) < practical).all(axis=1) & ~both_sides)
