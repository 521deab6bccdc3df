"""A teacher must know something before it teaches.

The gate refuses an untrained head and a teacher near chance. It does not refuse a teacher below the student: such a
teacher can still help (METHOD), so it is shown beside the student instead.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from azeotrope.errors import RunFailed


def needed_accuracy(labels: NDArray[np.int64]) -> float:
    """Chance plus three binomial standard errors, where chance is to always name the largest class."""
    chance = float(np.bincount(labels).max()) / len(labels)
    return min(1.0, chance + 3 * math.sqrt(chance * (1 - chance) / len(labels)))


def check(name: str, accuracy: float, val_labels: NDArray[np.int64]) -> None:
    """Raise RunFailed when the teacher's accuracy on validation is not above what chance would give."""
    needed = needed_accuracy(val_labels)
    if accuracy < needed:
        raise RunFailed(
            f"The teacher {name} is near chance on these images",
            found=f"{100 * accuracy:.1f} % right on {len(val_labels)} validation images",
            allowed=f"at least {100 * needed:.1f} % (chance and three standard errors)",
            next_step="take a teacher trained on similar images, a larger --teacher-size, or more labelled images",
        )
