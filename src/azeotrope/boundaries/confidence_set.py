"""The sizes at which it is not settled who is ahead: where the probability of winning lies between 0.05 and 0.95."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from azeotrope.curves.cells import Floats

LEVEL = 0.9


TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True)
class Piece:
    """Part of the confidence set {size: 0.05 < p_win < 0.95}; an end that is None lies beyond the searched sizes."""

    low: float | None
    high: float | None


def confidence_set(p_win: Floats, grid: Floats) -> tuple[Piece, ...]:
    """Sizes at which `p_win` [g] settles nothing, in pieces; their ends are interpolated in log size."""
    unsettled = (p_win > TAIL) & (p_win < 1 - TAIL)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unsettled, [False]]).astype(int)))
    pieces = [
        Piece(_edge(p_win, grid, start - 1), _edge(p_win, grid, stop - 1))
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]
    return tuple(sorted([*pieces, *_jumps(p_win, grid)], key=lambda piece: piece.low or 0.0))


def _jumps(p_win: Floats, grid: Floats) -> list[Piece]:
    """Pieces narrower than the grid: p_win passes from one side to the other between two points."""
    ahead, behind = p_win >= 1 - TAIL, p_win <= TAIL
    between = np.flatnonzero((ahead[:-1] & behind[1:]) | (behind[:-1] & ahead[1:]))
    return [Piece(float(grid[i]), float(grid[i + 1])) for i in between]


def _edge(p_win: Floats, grid: Floats, i: int) -> float | None:
    """Size between grid points i and i + 1 where p_win enters or leaves the unsettled range; None beyond the grid."""
    if i < 0 or i + 1 >= len(grid):
        return None
    inside, outside = (p_win[i], p_win[i + 1]) if TAIL < p_win[i] < 1 - TAIL else (p_win[i + 1], p_win[i])
    limit = TAIL if outside <= TAIL else 1 - TAIL
    share = (limit - p_win[i]) / (p_win[i + 1] - p_win[i]) if inside != outside else 0.5
    return float(np.exp(np.log(grid[i]) + share * np.log(grid[i + 1] / grid[i])))
