"""Which of many points are close to each other: those whose cells touch are compared, the others cannot be close.

A k-d tree in 16 dimensions took 6.5 times as long an image for 200,000 as for 20,000 (docs/log.md): with so many
dimensions its boxes are cut once or not at all along each. Here points are turned so that the first axes hold the
largest spread (a rotation keeps distances), put into square cells as wide as the radius along two of them, and sorted
along the third. What is left is compared as one matrix product a block.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Int64
from numpy.typing import NDArray

_ROUNDING = 1e-4  # share of the radius by which single precision may err: a pair so much farther apart may be found
_ROWS, _COLUMNS = 512, 1 << 14  # compared at a time: 34 MB


def close_pairs(points: Float32[np.ndarray, "n d"], radius: float) -> Int64[np.ndarray, "pairs 2"]:
    """Rows of the points at most `radius` apart, each pair once, in no order; d is 3 or more."""
    reach = radius * (1 + _ROUNDING)
    turned = _turned(points)
    cells = np.floor(turned[:, :2] / reach).astype(np.int64)
    cells -= cells.min(axis=0) - 1
    width = int(cells[:, 1].max(initial=0)) + 2  # room for a neighbour on either side
    number = cells[:, 0] * width + cells[:, 1]
    order = np.lexsort((turned[:, 2], number))
    third, (left, right) = turned[order, 2], _factors(turned[order])
    names, starts = np.unique(number[order], return_index=True)
    found = [np.empty((0, 2), np.int64)]
    for one, other in _touching(names, np.append(starts, len(order)), width):
        for rows, columns in _blocks(third, one, other, reach):
            at = np.argwhere(left[rows] @ right[columns].T <= reach**2)
            at += np.array([rows.start, columns.start])
            found.append(at[at[:, 0] < at[:, 1]] if one == other else at)
    return order[np.concatenate(found)]


def count_close(points: Float32[np.ndarray, "n d"], sample: Float32[np.ndarray, "m d"], radius: float) -> float:
    """How many of the points are at most `radius` from one of the sample, on average."""
    left, right = _factors(sample)[0], _factors(points)[1]
    counts = [(left[start : start + 8] @ right.T <= radius**2).sum() for start in range(0, len(sample), 8)]
    return float(sum(counts)) / len(sample)


def _turned(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Around their mean, along their principal axes, the longest first."""
    centred = points - points.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    turned: NDArray[np.float32] = centred @ axes[:, ::-1].astype(np.float32)
    return turned


def _factors(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two matrices whose product holds the squared distances."""
    squares, ones = (points**2).sum(axis=1, keepdims=True), np.ones((len(points), 1), np.float32)
    return np.hstack([-2 * points, squares, ones]), np.hstack([points, ones, squares])


def _touching(names: NDArray[np.int64], ends: NDArray[np.int64], width: int) -> Iterator[tuple[slice, slice]]:
    """Each cell with itself and with those of its neighbours whose number is higher, as ranges of sorted points."""
    for beside in (0, 1, width - 1, width, width + 1):
        at = np.searchsorted(names, names + beside).clip(max=len(names) - 1)
        for place in np.flatnonzero(names[at] == names + beside).tolist():
            yield slice(*ends[place : place + 2].tolist()), slice(*ends[at[place] : at[place] + 2].tolist())


def _blocks(third: NDArray[np.float32], one: slice, other: slice, reach: float) -> Iterator[tuple[slice, slice]]:
    """Ranges of the points of `one`, each with those of `other` that are near enough along the third axis."""
    for start in range(one.start, one.stop, _ROWS):
        stop = min(start + _ROWS, one.stop)
        low, high = np.searchsorted(third[other], (third[start] - reach, third[stop - 1] + reach)) + other.start
        for first in range(max(int(low), start) if one == other else int(low), int(high), _COLUMNS):
            yield slice(start, stop), slice(first, min(first + _COLUMNS, int(high)))
