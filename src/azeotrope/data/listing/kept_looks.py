"""The looks of a set, kept from command to command.

Decoding a million images takes a core more than an hour; asking the file system for their sizes and times takes
seconds. A look is used again while the stamp of its image is the same: file, bytes, times of change. Who distrusts
stamps reads all images anew (`--strict`); what is packed for training is checked against its checksum
(`data.packing.pack`).
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.listing.look import METHOD, Looks
from azeotrope.data.listing.thumbnail import SIDE
from azeotrope.data.sources._source import Stamp
from azeotrope.errors import message_of
from azeotrope.labels import PLAIN_PIXELS, PixelSpec
from azeotrope.record.storage.store import write_atomically

FORMAT = 2  # of the file; raise when its columns change
SETTLED = 2_000_000_000  # ns: a file that was changed so shortly before it was read may change again within one tick
_GONE = Stamp("", 0, 0, 0)  # of an image without a stamp: none that is kept has such a name
_log = logging.getLogger(__name__)
_COLUMNS = {  # what must be in the file, and the shape of a row
    "numbers": (np.dtype(np.int64), (3,)),  # bytes, modified, changed
    "checksums": (np.dtype(np.uint8), (32,)),
    "shapes": (np.dtype(np.int64), (3,)),
    "values": (np.dtype(np.float64), (4,)),
    "thumbnails": (np.dtype(np.uint8), (SIDE, SIDE)),
}


@dataclass(frozen=True)
class KeptLooks:
    """The looks of one source, in `file`. With `anew` they are only written: every image is read."""

    file: Path
    anew: bool = False

    @property
    def packed(self) -> Path:
        """A note that this source was packed while it was listed, also where its images have no stamps and are read by
        every command.
        """
        return self.file.with_suffix(".packed")

    def note_packed(self) -> None:
        """Leave this note; without it the next command packs in vain."""
        with suppress(OSError):
            self.packed.touch()

    def find(self, stamps: Sequence[Stamp | None]) -> tuple[Looks, NDArray[np.int64]]:
        """The looks of a set, as far as they are kept under these stamps, and the rows that are not."""
        stored = None if self.anew else self._stored()
        if stored is None:
            return Looks.none_of(len(stamps)), np.arange(len(stamps))
        names, columns, notes = stored
        now = [stamp or _GONE for stamp in stamps]
        at = _places(names, [stamp.where for stamp in now])
        known = np.flatnonzero(at >= 0)
        at[known[(columns["numbers"][at[known]] != _numbers(now)[known]).any(axis=1)]] = -1
        found, missing = np.flatnonzero(at >= 0), np.flatnonzero(at < 0)
        if not len(found):
            return Looks.none_of(len(stamps)), missing
        taken = {name: columns[name] if _is_whole(at, names) else columns[name][at] for name in _COLUMNS}
        for name, column in taken.items():
            column[missing] = np.nan if name == "values" else 0
        sums = taken["checksums"].tobytes().hex()
        checksums = [sums[start : start + 64] for start in range(0, len(sums), 64)]
        places = zip(found.tolist(), at[found].tolist(), strict=True) if notes else ()
        said = {row: tuple(notes[place]) for row, place in places if place in notes}
        return Looks(checksums, taken["shapes"], taken["values"], taken["thumbnails"], said, {}), missing

    def keep(self, stamps: Sequence[Stamp | None], looks: Looks, began: int) -> None:
        """Write the looks of a set that was read from the time `began` on (nanoseconds since 1970). Left out are images
        without a stamp, those that could not be read, perhaps for want of memory or a codec, and those that were
        changed just before.
        """
        kept = [
            (row, stamp)
            for row, stamp in enumerate(stamps)
            if stamp is not None and row not in looks.reasons and max(stamp.modified, stamp.changed) < began - SETTLED
        ]
        rows = np.array([row for row, _ in kept], dtype=np.int64)
        place = {row: number for number, row in enumerate(rows.tolist())} if looks.notes else {}
        at = slice(None) if len(rows) == len(stamps) else rows  # no copy of what is kept whole
        texts = {
            "names": [stamp.where for _, stamp in kept],
            "notes": {place[row]: said for row, said in looks.notes.items() if row in place},
        }
        checksums = bytes.fromhex("".join(looks.checksums[row] for row in rows.tolist()))
        columns: dict[str, NDArray[Any]] = {
            "numbers": _numbers([stamp for _, stamp in kept]),
            "checksums": np.frombuffer(checksums, np.uint8).reshape(-1, 32),
            "shapes": looks.shapes[at],
            "values": looks.values[at],
            "thumbnails": looks.thumbnails[at],
        }
        buffer = io.BytesIO()
        columns["texts"] = np.frombuffer(json.dumps(texts).encode(), np.uint8)
        np.savez(buffer, allow_pickle=False, **columns)
        with suppress(OSError):  # what cannot be kept costs time only
            write_atomically(self.file, buffer.getvalue(), durable=False)

    def _stored(self) -> tuple[list[str], dict[str, NDArray[np.generic]], dict[int, list[str]]] | None:
        """Names, columns and notes of what is kept; None where nothing is, or it is damaged, which is said."""
        try:
            with self.file.open("rb") as file, np.load(file, allow_pickle=False) as content:
                columns = {name: content[name] for name in _COLUMNS}
                texts = json.loads(content["texts"].tobytes())
            names, notes = texts["names"], {int(row): list(map(str, said)) for row, said in texts["notes"].items()}
            if not all(isinstance(name, str) for name in names):
                raise ValueError("names are not texts")
            for name, (dtype, shape) in _COLUMNS.items():
                if columns[name].dtype != dtype or columns[name].shape != (len(names), *shape):
                    raise ValueError(f"{name} has another shape")
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive fails in too many ways to name
            _log.warning("%s is damaged (%s): every image is read again", self.file, message_of(error))
            return None
        return names, columns, notes


def kept_looks(cache: Path, named: str, pixels: PixelSpec = PLAIN_PIXELS, *, anew: bool = False) -> KeptLooks:
    """Where the looks of the source that a user `named` are kept below the folder `cache`, its `pixels` as asked."""
    place = Path(named).expanduser()
    named = str(place.absolute()) if place.exists() else named
    named += "" if pixels == PLAIN_PIXELS else f"\0{pixels.digest()}"
    key = hashlib.sha256(f"{METHOD}.{FORMAT}\0{named}".encode("utf-8", "surrogateescape")).hexdigest()
    return KeptLooks(cache / f"looks-{key[:24]}.npz", anew)


def _numbers(stamps: Sequence[Stamp]) -> NDArray[np.int64]:
    """Bytes and times of change, [n, 3]."""
    return np.array([stamp[1:] for stamp in stamps], np.int64).reshape(-1, 3)


def _places(names: list[str], wanted: list[str]) -> NDArray[np.int64]:
    """Where each wanted name is among `names`, -1 where it is not."""
    if names == wanted:
        return np.arange(len(names))
    place_of = {name: place for place, name in enumerate(names)}
    return np.array([place_of.get(name, -1) for name in wanted], dtype=np.int64)


def _is_whole(at: NDArray[np.int64], names: list[str]) -> bool:
    return len(at) == len(names) and bool((at == np.arange(len(at))).all())
