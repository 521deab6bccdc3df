"""How the bytes of a file become levels: what a task, a saved model and `predict` must agree on."""

from __future__ import annotations

from dataclasses import dataclass

from azeotrope.data.decoding.deep import Range
from azeotrope.labels import PLAIN_PIXELS, PixelSpec

MAX_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a gigabyte at 24 bits


@dataclass(frozen=True)
class Reading:
    """`value_range` are the values of black and white in files of more than 8 bits; without them a picture's own plain
    range is taken (`deep.plain_range`). `pixels` says which bands are read, and how finely.
    """

    value_range: Range | None = None
    pixels: PixelSpec = PLAIN_PIXELS

    @property
    def plain(self) -> bool:
        """Whether files are read as grey or colour pictures of 8 bits."""
        return self.pixels is PLAIN_PIXELS or self.pixels == PLAIN_PIXELS


AS_PICTURES = Reading()


class Unreadable(Exception):  # noqa: N818 (a finding to be counted, not an error to be shown)
    """An image that cannot be used; `str()` is the reason."""


def check_size(width: int, height: int) -> None:
    """Refuse a picture without pixels or with too many, as its header announces it. Raises Unreadable."""
    if width < 1 or height < 1:
        raise Unreadable(f"it has no pixels ({width} x {height})")
    if width * height > MAX_PIXELS:
        raise Unreadable(too_large(f"{width} x {height} pixels"))


def too_large(found: str) -> str:
    """Why a picture of so many pixels is not decoded."""
    return f"{found}: more than {MAX_PIXELS:,} (a decompression bomb?)"
