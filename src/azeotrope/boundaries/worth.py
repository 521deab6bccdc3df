"""How many images of the baseline a strategy is worth at one size: a distribution, which may say "never"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from azeotrope.boundaries.images_needed import first_below, point_and_interval, size_grid
from azeotrope.curves.joint_cells import JointCells
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
    grid = size_grid(cells)
    reached = np.log(draws.errors(np.array([at]))[0])
    sizes = first_below(draws.errors(grid)[1], grid, reached)
    value, interval = point_and_interval(sizes, cells, level)
    times = quantile_interval(float(np.median(sizes)) / at, sizes / at, level)
    challenger, baseline = cells.arms
    return EffectiveData(challenger, baseline, at, value, interval, times, float(np.isinf(sizes).mean()))
