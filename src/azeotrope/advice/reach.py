"""Contenders whose own runs end too far from the images asked about: a law is not followed so far out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from azeotrope.advice.answer import NotTested
from azeotrope.advice.evidence import Contender
from azeotrope.boundaries.images_needed import TRUSTED_REACH


@dataclass(frozen=True)
class Span:
    """The smallest and the largest number of training images of a contender's runs."""

    low: float
    high: float

    def nearest(self, at: float) -> float:
        """The end nearer to `at`, which lies outside."""
        return self.high if at > self.high else self.low

    def __str__(self) -> str:
        return f"{self.low:,.0f} to {self.high:,.0f}"


def too_far(contenders: Iterable[Contender], at: float) -> dict[Span, list[Contender]]:
    """The contenders of which `at` images lie more than `TRUSTED_REACH` x outside their own sizes, by these."""
    found: dict[Span, list[Contender]] = {}
    for one in contenders:
        sizes = [float(size) for size in one.curve.table["train_images"]]
        span = Span(min(sizes), max(sizes))
        if not span.low / TRUSTED_REACH <= at <= TRUSTED_REACH * span.high:
            found.setdefault(span, []).append(one)
    return found


def outside(far: Mapping[Span, Iterable[Contender]], *, everyone: bool) -> str:
    """What is said of contenders that are too far: whose sizes these are, unless everyone's."""
    spans = [f"{span} images" + ("" if everyone else f" of {', '.join(one.name for one in far[span])}") for span in far]
    return f"more than {TRUSTED_REACH:g} x outside the {' and the '.join(spans)} that were run"


def not_followed(far: Mapping[Span, Iterable[Contender]], at: float) -> Iterator[NotTested]:
    """Each contender that is too far, as one of which nothing is said."""
    for span, some in far.items():
        reason = f"{at:,.0f} images are {outside({span: some}, everyone=True)}"
        yield from (NotTested(one.name, reason) for one in some)
