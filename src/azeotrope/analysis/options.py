"""What `fit` and `boundary` are both asked: one law or their average, sizes, draws and a seed. It checks these numbers
and nothing of the runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from azeotrope.errors import InputError

AVERAGE = "average"
"""Not a law's name: all laws that apply, by their weights."""

FEWEST_DRAWS = 100


def check_at(at: Sequence[float]) -> None:
    """Raises InputError for sizes that no run can have."""
    if not all(0 < size < math.inf for size in at):
        raise InputError(
            "Sizes to ask about must be above zero and finite",
            found=", ".join(f"{size:g}" for size in at),
            allowed="such as 1000,5000",
            next_step="correct --at",
        )


def check_draws(draws: int, seed: int) -> None:
    """Raises InputError for too few draws or a seed below zero."""
    if draws < FEWEST_DRAWS:
        raise InputError(
            f"A 90 % interval needs at least {FEWEST_DRAWS} draws",
            found=f"--draws {draws}",
            allowed=f"{FEWEST_DRAWS} or more",
            next_step="raise --draws, or leave it out",
        )
    if seed < 0:
        raise InputError(
            "A seed is a whole number, zero or above",
            found=f"--draw-seed {seed}",
            allowed="such as 0",
            next_step="correct --draw-seed",
        )
