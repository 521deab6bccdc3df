"""How many images a target error needs: a distribution, which may say "never".

"Never" means a floor above the target, or not up to the horizon (1,000 x the largest size). It ranks no strategies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from azeotrope.curves.cells import Floats, JointCells
from azeotrope.curves.joint_draws import Draws
from azeotrope.errors import InputError
from azeotrope.record.interval import Interval, quantile_interval

HORIZON = 1000.0
POINTS = 400
TRUSTED_REACH = 5.0
"""No point value is given beyond 5 x the largest size."""


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
    value, interval = point_and_interval(sizes, cells, level)
    never, already = float(np.isinf(sizes).mean()), float((sizes <= cells.sizes[0]).mean())
    return Required(cells.arms[arm], target, value, interval, never, already, _reach_warnings(interval, never, cells))


def required_draws(cells: JointCells, draws: Draws, arm: int, target: float) -> Floats:
    """The required size in each draw, [R]; infinite where the draw never gets there."""
    grid = size_grid(cells)
    return first_below(draws.errors(grid)[arm], grid, np.log(target))


def size_grid(cells: JointCells) -> Floats:
    """Sizes [g], from far below the data up to the horizon."""
    return np.geomspace(cells.sizes[0] / HORIZON, cells.sizes[-1] * HORIZON, POINTS)


def first_below(error: Floats, grid: Floats, log_target: Floats | float) -> Floats:
    """First size [R] at which `error` [R, g] reaches the target, by interpolation in logs; infinite when never."""
    above = np.log(error) - log_target
    reached = above <= 0
    place = np.maximum(reached.argmax(axis=1), 1)
    rows = np.arange(len(error))
    before, after = above[rows, place - 1], above[rows, place]
    share = np.clip(before / np.where(before > after, before - after, 1.0), 0, 1)
    size = np.exp(np.log(grid[place - 1]) + share * np.log(grid[place] / grid[place - 1]))
    return np.where(reached.any(axis=1), np.where(reached[:, 0], grid[0], size), np.inf)


def point_and_interval(sizes: Floats, cells: JointCells, level: float) -> tuple[float | None, Interval]:
    """The median size, or None beyond 5 x the data, and the interval of the sizes [R]."""
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
