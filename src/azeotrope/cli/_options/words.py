"""What the text of an option says: lists, numbers, ranges. Each raises InputError with the form that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from azeotrope.errors import InputError
from azeotrope.record.storage.store import expanded
from azeotrope.terms import split


def names(text: str | None) -> list[str] | None:
    """A comma-separated option as a list, None when it was not given; commas in parentheses separate nothing."""
    return None if text is None else [part.strip() for part in split(text, ",") if part.strip()]


def counts(text: str | None) -> list[int] | None:
    """Numbers of images, by commas."""
    if text is None:
        return None
    if not (parts := names(text)) or not all(part.isdecimal() and int(part) for part in parts):
        raise InputError("Numbers of images are whole numbers, 1 or more", found=text, allowed="such as 250,500")
    return [int(part) for part in parts]


def numbers(text: str | None, flag: str, example: str = "1000,5000") -> tuple[float, ...]:
    """Numbers, by commas; none when it was not given."""
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise InputError(
            f"{flag} is a list of numbers", found=str(text), allowed=f"such as {example}", next_step="correct it"
        ) from None


def multiple(text: str | None) -> float | None:
    """`2x`, or `2`, as a number."""
    if text is None:
        return None
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise InputError("A multiple is a positive number of times", found=text, allowed="such as 1x, 2x or 0.5x")
    return value


def views(text: str | None) -> dict[str, Any]:
    """`--views 16` or `--views live`, as fields of the recipe."""
    if text is None:
        return {}
    if text == "live":
        return {"live": True}
    if not text.isdecimal() or int(text) < 1:
        raise InputError("--views is a number of views or `live`", found=text, allowed="1 or more, or live")
    return {"views": int(text)}


def bands(text: str, flag: str) -> tuple[int, ...]:
    """`4,3,2` as numbers of bands."""
    parts = names(text) or []
    if not parts or not all(part.isdecimal() and int(part) for part in parts):
        raise InputError(f"{flag} takes numbers of bands, from 1", found=text, allowed="such as 4,3,2")
    return tuple(int(part) for part in parts)


def teacher_bands(text: str | None) -> tuple[int, ...] | None:
    """`--teacher-bands 3,2,1`, where it was given."""
    return bands(text, "--teacher-bands") if text else None


def value_range(text: str | None) -> tuple[float, float] | Literal["percentile"] | None:
    """`--range 0,4095` as two numbers, or `--range percentile`."""
    if text is None or text == "percentile":
        return "percentile" if text else None
    try:
        black, white = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            "--range is two numbers, black and white, or percentile", found=text, allowed="such as 0,4095"
        ) from None
    return black, white


def seeds(text: str) -> int | Literal["auto"]:
    """`3` or `auto`."""
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            "--seeds is a number of paired seeds, or auto",
            found=text,
            allowed="1 or more (3 for a verdict), or auto",
            next_step="correct --seeds",
        )
    return int(text)


def pairs(given: Sequence[str] | None, flag: str) -> dict[str, str]:
    """Several `NAME=VALUE`."""
    parted = [pair.partition("=") for pair in given or ()]
    for name, equals, value in parted:
        if not (name and equals and value):
            raise InputError(
                f"{flag} takes NAME=VALUE",
                found=f"{name}{equals}{value}",
                allowed="such as images=n_train",
                next_step="correct it",
            )
    return {name: value for name, _, value in parted}


def folder(path: Path | None) -> Path | None:
    """A folder with `~` and variables written out."""
    return path and Path(expanded(path))
