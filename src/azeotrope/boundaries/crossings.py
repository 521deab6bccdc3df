"""Where drawn difference curves change sign, and in which direction. It reads curves off a grid and judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from azeotrope.curves.cells import Floats

REACH_BELOW, REACH_ABOVE = 3.0, 10.0
"""The grid runs from the smallest size / 3 to 10 x the largest."""
POINTS = 161

Direction = Literal["down", "up"]
"""`down`: the challenger is ahead below the crossing and behind above it; `up`: the other way round."""


def log_grid(sizes: Floats) -> Floats:
    """Sizes [g], evenly spaced in logs, on which crossings are looked for."""
    return np.geomspace(sizes.min() / REACH_BELOW, sizes.max() * REACH_ABOVE, POINTS)


@dataclass(frozen=True)
class SignChanges:
    """Sign changes of R curves on a grid. `count` [R]; `starts_ahead` [R]: positive at the grid's low end.

    `first` and `last` [R] are sizes of the first and last change, NaN for curves without one.
    """

    count: NDArray[np.int64]
    starts_ahead: NDArray[np.bool_]
    first: Floats
    last: Floats

    def single(self, direction: Direction) -> NDArray[np.bool_]:
        """Curves [R] with exactly one change, in this direction."""
        return np.asarray((self.count == 1) & (self.starts_ahead == (direction == "down")))

    def never(self, *, ahead: bool) -> NDArray[np.bool_]:
        """Curves [R] without a change, on the positive (`ahead`) or negative side throughout."""
        return np.asarray((self.count == 0) & (self.starts_ahead == ahead))

    def crossing(self, direction: Direction) -> Floats:
        """Size [R] of the one crossing; infinite or 0 (beyond the grid) for curves of one sign; NaN else."""
        before, after = (np.inf, 0.0) if direction == "down" else (0.0, np.inf)
        place = np.where(self.starts_ahead, before, after)
        place = np.where(self.single(direction), self.first, place)
        reverse = self.single("up" if direction == "down" else "down")
        return np.where((self.count > 1) | reverse, np.nan, place)


def sign_changes(difference: Floats, grid: Floats) -> SignChanges:
    """All sign changes of `difference` [R, g] over `grid` [g], each placed by linear interpolation in log size."""
    ahead = difference > 0
    change = ahead[:, 1:] != ahead[:, :-1]
    before = np.where(change, difference[:, :-1], 0.0)
    share = before / np.where(change, before - difference[:, 1:], 1.0)
    place = np.exp(np.log(grid[:-1]) + share * np.diff(np.log(grid)))
    rows, any_change = np.arange(len(change)), change.any(axis=1)
    first = np.where(any_change, place[rows, change.argmax(axis=1)], np.nan)
    last = np.where(any_change, place[rows, change.shape[1] - 1 - change[:, ::-1].argmax(axis=1)], np.nan)
    return SignChanges(change.sum(axis=1), ahead[:, 0], first, last)
