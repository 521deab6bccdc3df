"""A part of a report that cannot be made is said in its place: it never costs the rest, and never the runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from azeotrope.errors import AzeotropeError

Made = TypeVar("Made")


@dataclass(frozen=True)
class Missing:
    """What stands in the place of a part, and why it is not there."""

    reason: str


def attempt(make: Callable[[], Made]) -> Made | Missing:
    """What `make` gives, or the reason why it gave nothing: a refusal in its own words, a defect by its kind."""
    try:
        return make()
    except AzeotropeError as refusal:
        return Missing(str(refusal))
    except Exception as defect:  # in a figure, or in a library that draws it; the numbers are sound all the same
        return Missing(f"This should not have happened: {type(defect).__name__}: {defect}")
