"""What "labelled images" means: all that a person owns, and how many of them train, validate and test.

The one place of this arithmetic, for the half that divides images and for the half that speaks of them. Which images go
where is `data.division.split`'s and `data.division.subset`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from azeotrope.plan import HELD_OUT

VAL_PER_TRAIN = 0.25
"""Validation images for each training image; all that were held out, where all that are left train."""

MIN_VAL_PER_CLASS = 2


@dataclass(frozen=True)
class Division:
    """Labelled images by what they do. A run trains on `train` of them, chooses on `validate`, is judged on `test`.

    `spare`: held out to validate beyond a quarter of those that train, a few by rounding.
    """

    train: int
    validate: int
    test: int
    spare: int = 0

    @property
    def owned(self) -> int:
        """All of them: what a person labels."""
        return self.train + self.validate + self.test + self.spare


def held_out_of(images: float, share: float = HELD_OUT) -> int:
    """How many images of one class are held out: this share, at least one."""
    return max(1, round(share * images))


def validation_images(train: int, groups: int, available: int) -> int:
    """How many images a run on `train` images validates on; `groups` is the number of classes that must be seen."""
    return min(available, max(round(VAL_PER_TRAIN * train), MIN_VAL_PER_CLASS * groups))


def divided(owned: int, classes: int = 1, share: float = HELD_OUT) -> Division:
    """How `owned` labelled images, as many of each class, are divided where no splits are given; `share` is held out.

    With 10 classes 2,000 images are 1,280 that train, 320 that validate and 400 that test.
    """
    test = classes * held_out_of(owned / classes, share)
    left = max(0, owned - test)
    pool = min(left, classes * held_out_of(left / classes, share))
    train = left - pool
    validate = validation_images(train, classes, pool)
    return Division(train, validate, test, spare=pool - validate)


def owned_for(train: float, classes: int = 1, share: float = HELD_OUT) -> float:
    """The fewest labelled images of which `train` are left to train on; infinite for infinitely many."""
    if math.isinf(train):
        return math.inf
    owned = math.ceil(train / (1 - share) ** 2) - 2 * classes
    owned = max(1, owned)
    while divided(owned, classes, share).train < math.floor(train):
        owned += 1
    return float(owned)
