"""Who is ahead at the user's own number of images, among several ways to train, and how surely.

All contenders are drawn together, so that seeds they share cancel in every difference. It looks at errors only: cost,
limits and what to do next are decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from azeotrope.boundaries.boundary import PRACTICAL
from azeotrope.boundaries.confidence_set import LEVEL, Piece, confidence_set
from azeotrope.boundaries.crossings import log_grid
from azeotrope.curves.cells import Floats, JointCells, joint_cells
from azeotrope.curves.joint_draws import DRAWS, Draws, draw_curves
from azeotrope.record.interval import Interval, quantile_interval
from azeotrope.tables.frame import RunFrame

AXIS = "train_images"


@dataclass(frozen=True)
class Standing:
    """One contender at the user's size.

    `p_best` is the probability that no other has a lower error, `p_near_best` that none is lower by the practical
    difference or more, `p_win` that its error is lower than the leader's (0.5 for the leader itself); `behind` is its
    error minus the leader's. `unsettled` holds the sizes around the user's in which 0.05 < p_win < 0.95; None when
    p_win is outside that range at the user's size.
    """

    name: str
    runs: int
    error: Interval
    p_best: float
    p_near_best: float
    p_win: float
    behind: Interval
    unsettled: Piece | None


@dataclass(frozen=True)
class Contest:
    """All contenders at `at` images, the leader first, then by predicted error. `cells` and `draws` share one order."""

    at: float
    standings: tuple[Standing, ...]
    cells: JointCells
    draws: Draws

    @property
    def leader(self) -> Standing:
        """The contender with the lowest predicted error."""
        return self.standings[0]

    @property
    def rivals(self) -> tuple[Standing, ...]:
        """The contenders behind the leader, lowest predicted error first."""
        return self.standings[1:]

    def place(self, name: str) -> int:
        """Where `name` stands in `cells` and `draws`."""
        return self.cells.arms.index(name)

    def standing(self, name: str) -> Standing:
        """The standing of the contender of this name, which must be one of them."""
        return next(standing for standing in self.standings if standing.name == name)


def contest(
    frames: Sequence[RunFrame], at: float, *, practical: float = PRACTICAL, draws: int = DRAWS, seed: int = 0
) -> Contest:
    """Judge the contenders, one frame each, at `at` images. `practical` is a difference of error that counts as none.

    Each needs three sizes or more (`tables.checks`).
    """
    cells = joint_cells(frames, AXIS)
    drawn = draw_curves(cells, draws=draws, seed=seed)
    grid = np.unique(np.append(log_grid(cells.sizes), at))
    errors = drawn.errors(grid)
    here, middle = errors[:, :, int(np.searchsorted(grid, at))], drawn.middle(np.array([at]))[:, 0]
    order = np.argsort(middle, kind="stable")
    found = [
        _standing(
            cells,
            errors,
            here,
            middle,
            grid,
            int(arm),
            int(order[0]),
            at,
            practical,
            drawn.intervals(int(arm), np.array([at]), LEVEL)[0],
        )
        for arm in order
    ]
    return Contest(float(at), tuple(found), cells, drawn)


def _standing(
    cells: JointCells,
    errors: Floats,
    here: Floats,
    middle: Floats,
    grid: Floats,
    arm: int,
    leader: int,
    at: float,
    practical: float,
    error: Interval,
) -> Standing:
    """`errors` [K, R, g] on `grid` [g], `here` [K, R] and `middle` [K] at the user's size."""
    behind = here[arm] - here[leader]
    p_win = 0.5 if arm == leader else float((behind < 0).mean())
    pieces = () if arm == leader else confidence_set((errors[arm] < errors[leader]).mean(axis=0), grid)
    return Standing(
        name=cells.arms[arm],
        runs=int(cells.runs[arm].sum()),
        error=error,
        p_best=float((here[arm] <= here.min(axis=0)).mean()),
        p_near_best=float((here[arm] - here.min(axis=0) < practical).mean()),
        p_win=p_win,
        behind=quantile_interval(float(middle[arm] - middle[leader]), behind, LEVEL),
        unsettled=next((piece for piece in pieces if (piece.low or 0) <= at <= (piece.high or np.inf)), None),
    )
