"""How many images a target error needs, and how many images a strategy is worth: distributions, which may say "never".

"Never" means a floor above the target, or not up to the horizon (1,000 x the largest size). It ranks no strategies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from azeotrope.advice.cells import Floats, JointCells
from azeotrope.advice.draws import Draws
from azeotrope.errors import InputError
from azeotrope.record.interval import Interval, quantile_interval

HORIZON = 1000.0
POINTS = 400
TRUSTED_REACH = 5.0
"""No point value is given beyond 5 x the largest size (METHOD 7)."""


@dataclass(frozen=True)
class Required:
    """Images that `arm` needs for `target` error; may be infinite. `value` is None beyond 5 x the data.

    `p_never` is the share of draws that do not reach the target, `p_already` that of draws there at the smallest size.
    """

    arm: str
    target: float
    value: float | None
    images: Interval
    p_never: float
    p_already: float
    warnings: tuple[str, ...]


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


def check_target(target: float, *, bounded: bool) -> None:
    """Raises InputError for a target that is no error or, where errors are not `bounded` by 1, no loss."""
    if not 0 < target < (1 if bounded else np.inf):
        raise InputError(
            "A target error must lie above 0 and, for an error, below 1",
            found=f"{target:g}",
            allowed="for 5 % error, 0.05, also where the column is in per cent",
            next_step="give the target as a fraction",
        )


def required(cells: JointCells, draws: Draws, arm: int, target: float, level: float = 0.9) -> Required:
    """The size at which arm number `arm` reaches `target` error."""
    sizes = required_draws(cells, draws, arm, target)
    value, interval = _summary(sizes, cells, level)
    never, already = float(np.isinf(sizes).mean()), float((sizes <= cells.sizes[0]).mean())
    return Required(cells.arms[arm], target, value, interval, never, already, _reach_warnings(interval, never, cells))


def required_draws(cells: JointCells, draws: Draws, arm: int, target: float) -> Floats:
    """The required size in each draw, [R]; infinite where the draw never gets there."""
    grid = _grid(cells)
    return _first_below(draws.errors(grid)[arm], grid, np.log(target))


def effective_data(cells: JointCells, draws: Draws, at: float, level: float = 0.9) -> EffectiveData:
    """What the first arm (challenger) at `at` images is worth in images of the second (baseline)."""
    grid = _grid(cells)
    reached = np.log(draws.errors(np.array([at]))[0])
    sizes = _first_below(draws.errors(grid)[1], grid, reached)
    value, interval = _summary(sizes, cells, level)
    times = quantile_interval(float(np.median(sizes)) / at, sizes / at, level)
    challenger, baseline = cells.arms
    return EffectiveData(challenger, baseline, at, value, interval, times, float(np.isinf(sizes).mean()))


def _grid(cells: JointCells) -> Floats:
    return np.geomspace(cells.sizes[0] / HORIZON, cells.sizes[-1] * HORIZON, POINTS)


def _first_below(error: Floats, grid: Floats, log_target: Floats | float) -> Floats:
    """First size [R] at which `error` [R, g] reaches the target, by interpolation in logs; infinite when never."""
    above = np.log(error) - log_target
    reached = above <= 0
    place = np.maximum(reached.argmax(axis=1), 1)
    rows = np.arange(len(error))
    before, after = above[rows, place - 1], above[rows, place]
    share = np.clip(before / np.where(before > after, before - after, 1.0), 0, 1)
    size = np.exp(np.log(grid[place - 1]) + share * np.log(grid[place] / grid[place - 1]))
    return np.where(reached.any(axis=1), np.where(reached[:, 0], grid[0], size), np.inf)


def _summary(sizes: Floats, cells: JointCells, level: float) -> tuple[float | None, Interval]:
    middle = float(np.quantile(sizes, 0.5, method="nearest"))
    value = middle if middle <= TRUSTED_REACH * cells.sizes[-1] else None
    return value, quantile_interval(middle, sizes, level)


def _reach_warnings(interval: Interval, p_never: float, cells: JointCells) -> tuple[str, ...]:
    said = []
    if interval.value > TRUSTED_REACH * cells.sizes[-1]:
        said.append(f"beyond {TRUSTED_REACH:g} x the largest size seen: no point value is given, only bounds")
    if p_never > 0.05 or interval.high > 2 * cells.sizes[-1]:
        said.append("collect in rounds: add about twice the data, run again, then decide (Mahmood et al. 2022)")
    return tuple(said)
