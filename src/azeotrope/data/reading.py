"""How the bytes of a file become levels: what a task, a saved model and `predict` must agree on."""

from __future__ import annotations

from dataclasses import dataclass

from azeotrope.data.deep import Range
from azeotrope.labels import PLAIN_PIXELS, PixelSpec


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
