"""From the images that a person counts to the training images that runs and laws are about, and back.

Who owns labelled images divides them; who has others to validate and test trains on all. The arithmetic is
`record.labelled_images`'.
"""

from __future__ import annotations

from dataclasses import dataclass

from azeotrope.advice.evidence import Evidence
from azeotrope.advice.needs.limits import Needs
from azeotrope.errors import InputError
from azeotrope.record.interval import Interval
from azeotrope.record.labelled_images import Division, divided, owned_for


@dataclass(frozen=True)
class Counting:
    """How this person counts: all labelled images, or (`apart`) training images alone. `classes` 1: not known."""

    apart: bool
    classes: int

    @property
    def noun(self) -> str:
        """What a number of images counts, as a sentence says it."""
        return "training images" if self.apart else "labelled images"

    def train(self, images: float) -> float:
        """Training images among `images` counted this way: all, or what validation and test leave."""
        return images if self.apart else float(divided(round(images), self.classes).train)

    def images(self, train: float) -> float:
        """How many images have `train` of them to train on; may be infinite."""
        return train if self.apart else owned_for(train, self.classes)

    def interval(self, train: Interval) -> Interval:
        """An interval of training images in images as they are counted."""
        return Interval(self.images(train.value), self.images(train.low), self.images(train.high), train.level)

    def division(self, images: float | None) -> Division | None:
        """How that many labelled images are divided; None where training images are counted or none are named."""
        return None if self.apart or images is None else divided(round(images), self.classes)


def counting(evidence: Evidence, needs: Needs) -> Counting:
    """Of this person and these runs."""
    classes = {size for one in evidence.contenders for size in one.curve.table["classes"].unique().to_list()}
    known = classes.pop() if len(classes) == 1 else None
    return Counting(needs.at is not None, int(known) if known else 1)


def train_images(evidence: Evidence, needs: Needs) -> float:
    """The size to advise at. Raises InputError when so few images are owned that none is left to train on."""
    if needs.at is not None:
        return needs.at
    if needs.images is None:
        return evidence.largest
    found = counting(evidence, needs).train(needs.images)
    if found < 1:
        raise InputError(
            "Of labelled images a fifth is for the test, and a fifth of the rest for validation, one a class or more",
            found=f"{needs.images:,.0f} labelled images, which leave none to train on",
            allowed="three a class or more",
            next_step="label more images, or count those to train on alone: --at",
        )
    return found


def named(division: Division | None, at: float) -> str:
    """Like "with 2,000 labelled images (1,280 train, 320 validate, 400 test)"."""
    if division is None:
        return f"at {at:,.0f} training images"
    parts = f"{division.train:,} train, {division.validate:,} validate, {division.test:,} test"
    return f"with {division.owned:,} labelled images ({parts})"
