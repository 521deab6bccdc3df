"""What one image turned out to be when it was read, and what all images of a set did, as columns.

Columns, since a million objects take a gigabyte and seconds to make; `kept_looks` writes them as they are.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8
from numpy.typing import NDArray

from azeotrope.data.decoding.decode import Decoded, decode
from azeotrope.data.decoding.deep import Values
from azeotrope.data.decoding.reading import Reading, Unreadable
from azeotrope.data.listing.thumbnail import SIDE, thumbnail
from azeotrope.data.sources._source import Raw, Source
from azeotrope.labels import PLAIN_PIXELS, PixelSpec

Take = Callable[[int, str, Decoded, float], None]
"""What is done with a picture that was decoded: its row, its checksum, and the seconds that reading it took."""

METHOD = 3  # raise when decoding or thumbnails change: what was kept is then not read any more


@dataclass(frozen=True)
class Look:
    """What one image turned out to be: SHA-256 of its content (hex, "" where it could not be opened), height, width and
    channels (0 where it could not be decoded, with the `reason`), what `decode` had to do, and its grey thumbnail.
    """

    checksum: str
    shape: tuple[int, int, int] = (0, 0, 0)
    notes: tuple[str, ...] = ()
    reason: str = ""
    thumbnail: UInt8[np.ndarray, "S S"] | None = None
    values: Values | None = None


def look_at(source: Source, row: int, pixels: PixelSpec = PLAIN_PIXELS, take: Take | None = None) -> Look:
    """Read and decode image `row`, its `pixels` as asked; `take` is given what comes of it. What is wrong with it
    becomes its reason, never an exception.
    """
    began = time.perf_counter()
    if (formula := source.formula) is not None:
        return Look(formula.checksum(row), (formula.height, formula.width, formula.channels))
    try:
        raw = source.read(row)
    except OSError as error:
        return Look("", reason=f"cannot be opened: {error.strerror or error}")
    except Exception as error:  # a source may be a library that decodes: it raises whatever a bad item makes it raise
        return Look("", reason=f"cannot be opened: {type(error).__name__}: {error}")
    checksum = checksum_of(raw)
    try:
        decoded = decode(raw, Reading(pixels=pixels), own=True)
    except Unreadable as error:
        return Look(checksum, reason=str(error))
    if take is not None:
        take(row, checksum, decoded, time.perf_counter() - began)
    height, width, channels = decoded.pixels.shape
    small = thumbnail(decoded.pixels)
    return Look(checksum, (height, width, channels), decoded.notes, thumbnail=small, values=decoded.values)


def checksum_of(raw: Raw) -> str:
    """SHA-256 (hex) of a file's bytes, or of an array's shape and values."""
    content = raw if isinstance(raw, bytes) else repr(raw.shape).encode() + raw.tobytes()
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, eq=False)
class Looks:
    """The looks of a set, a row an image. `values` are not numbers where there are none; `notes` and `reasons` are of
    the rows that have any.
    """

    checksums: list[str]
    shapes: Int64[np.ndarray, "n 3"]
    values: Float64[np.ndarray, "n 4"]
    thumbnails: UInt8[np.ndarray, "n S S"]
    notes: dict[int, tuple[str, ...]]
    reasons: dict[int, str]

    @classmethod
    def none_of(cls, rows: int) -> Looks:
        """Room for the looks of so many images."""
        return cls(
            [""] * rows,
            np.zeros((rows, 3), np.int64),
            np.full((rows, 4), np.nan),
            np.zeros((rows, SIDE, SIDE), np.uint8),
            {},
            {},
        )

    @property
    def readable(self) -> Bool[np.ndarray, " n"]:
        """Which images have pixels."""
        there = np.ones(len(self.checksums), np.bool_)
        there[list(self.reasons)] = False
        return there

    @property
    def deep(self) -> NDArray[np.int64]:
        """Rows of the files of more than 8 bits."""
        return np.flatnonzero(~np.isnan(self.values[:, 0]))

    def put(self, row: int, look: Look) -> None:
        """Set this row."""
        self.checksums[row], self.shapes[row] = look.checksum, look.shape
        self.values[row] = np.nan if look.values is None else astuple(look.values)
        self.thumbnails[row] = 0 if look.thumbnail is None else look.thumbnail
        self.notes.pop(row, None)
        self.reasons.pop(row, None)
        if look.notes:
            self.notes[row] = look.notes
        if look.reason:
            self.reasons[row] = look.reason

    def __getitem__(self, row: int) -> Look:
        height, width, channels = self.shapes[row].tolist()
        return Look(
            self.checksums[row],
            (height, width, channels),
            self.notes.get(row, ()),
            self.reasons.get(row, ""),
            self.thumbnails[row],
            None if np.isnan(self.values[row, 0]) else Values(*self.values[row].tolist()),
        )
