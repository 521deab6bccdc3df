"""How many images of the baseline a strategy is worth at one size: a distribution, which may say "never"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from azeotrope.boundaries.images_needed import first_below, point_and_interval, size_grid
from azeotrope.curves.cells import Floats, JointCells
from azeotrope.curves.joint_draws import Draws
from azeotrope.record.interval import Interval, quantile_interval


@dataclass(frozen=True)
class EffectiveData:
    """At `at` labelled images, `challenger` reaches what `baseline` needs `images` for: worth `times` as many.

    Infinite: the baseline never gets there. `value` is None where most draws say so, or beyond 5 x the data.
    """

    challenger: str
    baseline: str
    at: float
    value: float | None
    images: Interval
    times: Interval
    p_never: float


def effective_data(cells: JointCells, draws: Draws, at: float, level: float = 0.9) -> EffectiveData:
    """What the first arm (challenger) at `at` images is worth in images of the second (baseline)."""
    return effective_data_at(cells, draws, [at], level)[0]


def effective_data_at(
    cells: JointCells, draws: Draws, sizes: Sequence[float], level: float = 0.9
) -> tuple[EffectiveData, ...]:
    """The same at several sizes."""
    grid, reached = size_grid(cells), np.log(draws.errors(np.array(sizes, float))[0])
    baseline = draws.errors(grid)[1]
    return tuple(
        _worth(cells, first_below(baseline, grid, reached[:, [place]]), float(at), level)
        for place, at in enumerate(sizes)
    )


def _worth(cells: JointCells, sizes: Floats, at: float, level: float) -> EffectiveData:
    """`sizes` [R] of the baseline that do as well as the challenger at `at`."""
    value, interval = point_and_interval(sizes, cells, level)
    times = quantile_interval(float(np.median(sizes)) / at, sizes / at, level)
    challenger, baseline = cells.arms
    return EffectiveData(challenger, baseline, at, value, interval, times, float(np.isinf(sizes).mean()))
