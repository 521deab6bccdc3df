"""One file of a table of rows, with a checksum for each row and a lock: what one writer fills and others may read.

A row is present once its checksum is on disk, which is written after its data; a killed writer leaves rows missing,
never wrong. A checksum also says of which table and place its row is, so that a file copied from another table, or to
another number, does not pass. Data are read with plain reads, not through a memory map: a file that is cut while it is
read is then an error with a name, not a signal that kills the process, and the system keeps what fits in memory either
way.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.storage.lock import locked
from azeotrope.record.storage.store import cannot_write, write_atomically

PRESENT = 1 << 32  # in the checksum of a row that is there, so that none is zero
Array = NDArray[Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shard:
    """`rows` rows of `row_bytes` in `folder`, files `NAME.rows`, `NAME.checks`, `NAME.times` and `NAME.lock`."""

    folder: Path
    name: str
    rows: int
    row_bytes: int

    @property
    def data(self) -> Path:
        """The file of the rows, each of `row_bytes`."""
        return self.folder / f"{self.name}.rows"

    @property
    def checks(self) -> Path:
        """A checksum a row; 0 where the row is missing."""
        return self.folder / f"{self.name}.checks"

    def whole(self) -> bool:
        """Whether both files have the length that they must have."""
        return all(path.exists() and path.stat().st_size == length for path, length in self._lengths())

    def present(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these rows have been written; none of them when a file is missing or cut."""
        if not self.whole():
            return np.zeros(len(places), np.bool_)
        written: NDArray[np.bool_] = np.fromfile(self.checks, np.uint64)[places] != 0
        return written

    def read(self, places: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The bytes of these rows [n, row_bytes], and which of them agree with their checksum."""
        content, checks = np.zeros((len(places), self.row_bytes), np.uint8), np.zeros((len(places), 8), np.uint8)
        _gather(self.data, places, content)
        _gather(self.checks, places, checks)
        return content, self._checksums(places, content) == checks.view(np.uint64)[:, 0]

    def write(self, places: NDArray[np.int64], content: NDArray[np.uint8]) -> None:
        """Store these rows. Only under the lock."""
        _put(self.data, places, content)
        checks = self._checksums(places, content).view(np.uint8).reshape(-1, 8)
        _put(self.checks, places, checks)  # only now do the rows count as present

    @contextmanager
    def writing(self, *, wait: bool = True) -> Iterator[bool]:
        """Become the only writer; gives False when another process writes and `wait` is not asked for."""
        mine = False
        with ExitStack() as held:
            with told(self.folder), suppress(BlockingIOError):
                held.enter_context(locked(self.folder / f"{self.name}.lock", wait=wait))
                mine = True
            if mine:
                self._prepare()
            yield mine

    def _prepare(self) -> None:
        """Make the files as long as they must be, without writing them (they are sparse).

        If one has another length it was torn, and both start afresh: rows without their checksums are worth nothing,
        nor are checksums without rows.
        """
        if self.whole():
            return
        if self.data.exists() or self.checks.exists():
            _log.warning("The cache file %s was cut short: its rows are computed again", self.data)
        with told(self.folder):
            for path, length in self._lengths():
                with path.open("wb") as file:
                    file.truncate(length)

    def times(self) -> tuple[int, float]:
        """How many rows were computed and written, and the seconds that took; none where that was lost."""
        path = self.folder / f"{self.name}.times"
        if not path.exists():
            return 0, 0.0
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return int(content["rows"]), float(content["seconds"])
        except (ValueError, TypeError, KeyError):
            _log.warning("The file %s is damaged: what its rows cost is taken from the others", path)
            return 0, 0.0

    def energy(self) -> tuple[int, float]:
        """Of how many rows the energy is known, and the joules that they took; none where it was not read, or lost."""
        try:
            content = json.loads((self.folder / f"{self.name}.times").read_text(encoding="utf-8"))
            return int(content["metered_rows"]), float(content["joules"])
        except (OSError, ValueError, TypeError, KeyError):  # `times` warns of a damaged file
            return 0, 0.0

    def add_time(self, rows: int, seconds: float, joules: float | None = None) -> None:
        """The first batch of a process pays for start-up (kernels chosen, files opened) and counts like any other."""
        all_rows, all_seconds = self.times()
        metered, used = self.energy()
        content: dict[str, float] = {"rows": all_rows + rows, "seconds": all_seconds + seconds}
        if joules is not None or metered:
            content["metered_rows"] = metered + (rows if joules is not None else 0)
            content["joules"] = used + (joules or 0.0)
        write_atomically(self.folder / f"{self.name}.times", json.dumps(content), durable=False)

    def _checksums(self, places: NDArray[np.int64], content: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """CRC-32 of each row, started from table, file and place, plus one high bit: a present row is never zero."""
        rows = zip(self._starts(places).tolist(), content, strict=True)
        return np.array([zlib.crc32(row.data, start) | PRESENT for start, row in rows], np.uint64)

    def _starts(self, places: NDArray[np.int64]) -> NDArray[np.uint32]:
        start = zlib.crc32(f"{self.folder.name}/{self.name}".encode())  # the folder's name is the hash of its key
        return (places + start).astype(np.uint32)

    def adopt(self, data: Path, sums: NDArray[np.uint64]) -> bool:
        """Take the file `data` for its own, which holds the rows whose `sums` are not 0: their CRC-32 from zero, plus
        the high bit. Only where no row was written yet and nobody else writes; says whether it did. Raises StoreError.
        """
        with self.writing(wait=False) as free, told(self.folder):
            if not free or self.present(np.arange(self.rows)).any():
                return False
            there = np.flatnonzero(sums)
            checks = sums.copy()
            checks[there] ^= _effect(self._starts(there), self.row_bytes)
            with data.open("r+b") as file:
                file.truncate(self.rows * self.row_bytes)
            data.replace(self.data)
            with self.checks.open("r+b") as file:
                file.write(checks.tobytes())
        return True

    def _lengths(self) -> list[tuple[Path, int]]:
        """Checksums first: a kill between the two then leaves no old checksum beside new rows."""
        return [(self.checks, self.rows * 8), (self.data, self.rows * self.row_bytes)]


def _effect(starts: NDArray[np.uint32], length: int) -> NDArray[np.uint64]:
    """What to add (exclusive or) to a CRC-32 of so many bytes that was started from 0, to have it from these starts:
    each bit of a start has an effect of its own, whatever the bytes are.
    """
    zeros = bytes(length)
    none, effect = zlib.crc32(zeros), np.zeros(len(starts), np.uint64)
    for bit in range(32):
        effect ^= np.where(starts >> np.uint32(bit) & 1, np.uint64(zlib.crc32(zeros, 1 << bit) ^ none), np.uint64(0))
    return effect


def _put(path: Path, places: NDArray[np.int64], values: NDArray[np.uint8]) -> None:
    with path.open("r+b") as file:
        for place, value in zip(places.tolist(), values, strict=True):
            file.seek(place * value.nbytes)
            file.write(value.data)


def _gather(path: Path, places: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """Read rows of equal length into `out` [n, bytes]; what is beyond the file's end, or the whole file, may be missing
    and stays as it is. Neighbours are read at once.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return
    breaks = np.flatnonzero(np.diff(places) != 1) + 1
    with file:
        for start, stop in zip([0, *breaks.tolist()], [*breaks.tolist(), len(places)], strict=True):
            file.seek(int(places[start]) * out.shape[1])
            file.readinto(out[start:stop].data)


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Errors of the disk as StoreError, naming the folder."""
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, error, option="--cache") from error
