"""Pixels of more than 8 bits: which values stand for black and white.

A file of 16 or 32 bits does not say how many of them are used. What is used is measured over the whole set, and the
nearest plain range is taken: 8, 10, 12, 14 or 16 bits, or 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8, UInt16
from numpy.typing import NDArray

Range = tuple[float, float]  # the values of black and white

AskedRange = Range | Literal["percentile"] | None
FULL: Range = (0.0, 65_535.0)
_BITS = (8, 10, 12, 14, 16)
_BRIGHT = (
    0.995  # the share of pixels that a picture's own highest values leave below them: single hot pixels are no use
)
_PICTURES = 0.99  # the share of a set's pictures that are to lie within its percentile range
FEW_LEVELS = 16  # of 256: fewer than these look nearly black


@dataclass(frozen=True)
class Values:
    """What one picture's pixels are before they are scaled: lowest, highest, and the values that few pixels exceed
    (`bright`) or lie below (`dark`).
    """

    lowest: float
    highest: float
    bright: float
    dark: float


def measured(pixels: NDArray[np.generic]) -> Values:
    """The values of one picture."""
    values = pixels.astype(np.float64, copy=False)
    dark, bright = np.quantile(values, (1 - _BRIGHT, _BRIGHT)).tolist()
    return Values(float(values.min()), float(values.max()), bright, dark)


def percentile_range(values: Sequence[Values]) -> Range:
    """Black and white of a set such that in 99 of 100 pictures few pixels lie beyond either."""
    dark = float(np.quantile([each.dark for each in values], 1 - _PICTURES))
    bright = float(np.quantile([each.bright for each in values], _PICTURES))
    return (dark, bright) if dark < bright else (dark, dark + 1)


def plain_range(values: Sequence[Values]) -> Range | None:
    """The range of these pictures together; None where it is not plain: below 0, above 16 bits, not finite."""
    lowest, highest = min(each.lowest for each in values), max(each.highest for each in values)
    if not (lowest >= 0 and highest <= FULL[1]):
        return None
    if highest <= 1 and any(each.bright % 1 or each.highest % 1 for each in values):
        return (0.0, 1.0)
    return (0.0, float(next(2**bits for bits in _BITS if highest < 2**bits) - 1))


def eight_bit(pixels: NDArray[np.generic], span: Range) -> UInt8[np.ndarray, ...]:
    """The pixels with `span` mapped to 0 to 255; what lies outside becomes black or white."""
    return _levels(pixels, span, 255).astype(np.uint8)


def sixteen_bit(pixels: NDArray[np.generic], span: Range) -> UInt16[np.ndarray, ...]:
    """The same mapped to 0 to 65,535."""
    return _levels(pixels, span, 65_535).astype(np.uint16)


def _levels(pixels: NDArray[np.generic], span: Range, most: int) -> NDArray[np.float64]:
    black, white = span
    scaled = (pixels.astype(np.float64) - black) * (most / (white - black))
    return np.round(scaled.clip(0, most))


def words(values: Sequence[Values], span: Range | None, *, asked: bool) -> tuple[str, ...]:
    """What a person should know of a set's deep files."""
    lowest, highest = min(each.lowest for each in values), max(each.highest for each in values)
    files = f"{len(values):,} files of more than 8 bits hold values from {lowest:g} to {highest:g}"
    if span is None:
        return (f"{files}, of which black and white are not known: name them with --range LOW,HIGH.",)
    said = [] if span == FULL and not asked else [f"{files}: {span[0]:g} is black and {span[1]:g} is white (--range)."]
    bright = float(np.median([each.bright for each in values]))
    levels = 1 + round(255 * (bright - max(lowest, span[0])) / (span[1] - span[0]))
    if levels < FEW_LEVELS:
        said.append(
            f"{files}, but nearly all their pixels use {max(levels, 1)} of 256 levels: name a smaller range, such "
            f"as --range 0,{bright:g}."
        )
    return tuple(said)


def unknown_range(values: Values) -> str:
    """Why a picture cannot be shown in 8 bits."""
    return f"values from {values.lowest:g} to {values.highest:g}, whose range is not known: --range LOW,HIGH names it"
