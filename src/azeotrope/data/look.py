"""What one image turned out to be when it was read, and such looks kept from command to command.

Decoding a million images takes a core more than an hour; asking the file system for their sizes and times takes
seconds. A look is used again while the stamp of its image is the same: file, bytes, times of change. Who distrusts
stamps reads all images anew (`--strict`); what is packed for training is checked against its checksum (`data.pack`).
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from azeotrope.data.decode import decode
from azeotrope.data.deep import Values
from azeotrope.data.reading import Reading, Unreadable
from azeotrope.data.sources._source import Raw, Source, Stamp
from azeotrope.data.thumbnail import SIDE, thumbnail
from azeotrope.labels import PLAIN_PIXELS, PixelSpec
from azeotrope.record.store import write_atomically

METHOD = 3  # raise when decoding or thumbnails change: what was kept is then not read any more
SETTLED = 2_000_000_000  # ns: a file that was changed so shortly before it was read may change again within one tick
_DTYPE = np.dtype(
    [
        ("stamp", "V16"),
        ("checksum", "V32"),
        ("shape", np.int32, 3),
        ("values", np.float64, 4),  # not a number where there are none
        ("thumbnail", np.uint8, (SIDE, SIDE)),
    ]
)


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


def look_at(source: Source, row: int, pixels: PixelSpec = PLAIN_PIXELS) -> Look:
    """Read and decode image `row`, its `pixels` as asked. What is wrong with it becomes its reason, never an
    exception.
    """
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
    height, width, channels = decoded.pixels.shape
    small = thumbnail(decoded.pixels)
    return Look(checksum, (height, width, channels), decoded.notes, thumbnail=small, values=decoded.values)


def checksum_of(raw: Raw) -> str:
    """SHA-256 (hex) of a file's bytes, or of an array's shape and values."""
    content = raw if isinstance(raw, bytes) else repr(raw.shape).encode() + raw.tobytes()
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class KeptLooks:
    """The looks of one source, in `file`. With `anew` they are only written: every image is read."""

    file: Path
    anew: bool = False

    def find(self, stamps: Sequence[Stamp | None]) -> list[Look | None]:
        """The look kept under each stamp, or None."""
        stored = None if self.anew else self._stored()
        if stored is None:
            return [None] * len(stamps)
        table, said = stored
        rows = {stamp: row for row, stamp in enumerate(table["stamp"].tolist())}
        at = [None if stamp is None else rows.get(_digest(stamp)) for stamp in stamps]
        checksums, shapes = table["checksum"].tolist(), table["shape"].tolist()
        thumbnails, values = table["thumbnail"], table["values"]
        deep = ~np.isnan(values[:, 0])

        def look(row: int) -> Look:
            return Look(
                checksums[row].hex(),
                tuple(shapes[row]),
                tuple(said.get(str(row), ())),
                thumbnail=thumbnails[row],
                values=Values(*values[row].tolist()) if deep[row] else None,
            )

        return [None if row is None else look(row) for row in at]

    def keep(self, stamps: Sequence[Stamp | None], looks: Sequence[Look], began: int) -> None:
        """Write the looks of a set that was read from the time `began` on (nanoseconds since 1970). Left out are images
        without a stamp, those that could not be read, perhaps for want of memory or a codec, and those that were
        changed just before.
        """
        kept = [
            (_digest(stamp), look)
            for stamp, look in zip(stamps, looks, strict=True)
            if stamp is not None and not look.reason and max(stamp.modified, stamp.changed) < began - SETTLED
        ]
        table = np.zeros(len(kept), _DTYPE)
        table["values"] = np.nan
        said: dict[str, tuple[str, ...]] = {}
        for row, (stamp, look) in enumerate(kept):
            table[row]["stamp"], table[row]["checksum"] = stamp, bytes.fromhex(look.checksum)
            table[row]["shape"] = look.shape
            if look.thumbnail is not None:
                table[row]["thumbnail"] = look.thumbnail
            if look.values is not None:
                table[row]["values"] = astuple(look.values)
            if look.notes:
                said[str(row)] = look.notes
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, table=table, said=np.frombuffer(json.dumps(said).encode(), np.uint8))
        with suppress(OSError):  # what cannot be kept costs time only
            write_atomically(self.file, buffer.getvalue(), durable=False)

    def _stored(self) -> tuple[NDArray[np.void], dict[str, list[str]]] | None:
        try:
            with self.file.open("rb") as file, np.load(file, allow_pickle=False) as content:
                table, said = content["table"], json.loads(content["said"].tobytes())
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None  # none yet, or torn: all images are read
        return (table, said) if table.dtype == _DTYPE and isinstance(said, dict) else None


def kept_looks(cache: Path, named: str, pixels: PixelSpec = PLAIN_PIXELS, *, anew: bool = False) -> KeptLooks:
    """Where the looks of the source that a user `named` are kept below the folder `cache`, its `pixels` as asked."""
    place = Path(named).expanduser()
    named = str(place.absolute()) if place.exists() else named
    named += "" if pixels == PLAIN_PIXELS else f"\0{pixels.digest()}"
    key = hashlib.sha256(f"{METHOD}\0{named}".encode("utf-8", "surrogateescape")).hexdigest()
    return KeptLooks(cache / f"looks-{key[:24]}.npz", anew)


def _digest(stamp: Stamp) -> bytes:
    text = f"{stamp.where}\0{stamp.size}\0{stamp.modified}\0{stamp.changed}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()
