"""A table of equal rows on disk that is filled row by row, by whoever needs a row first.

Packs (decoded images) and the teacher cache are such tables: computed once, read by every run, interrupted at any
moment, filled by several processes or machines at once. The table is cut into ranges of rows, a file each (`shard`): a
range has one writer at a time, a writer takes a range that nobody else is filling, and readers see all ranges as one.
The folder's name is the hash of its key; a table made with another key is another folder, so a stale one is never read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from azeotrope.data.packing.shard import Array, Shard, told
from azeotrope.errors import StoreError
from azeotrope.record.machine import energy
from azeotrope.record.storage.store import write_atomically
from azeotrope.spec import digest

FORMAT = 3
SHARD_BYTES = 1 << 28  # small enough to be shared between machines, large enough that millions of images are few files

Compute = Callable[[NDArray[np.int64]], Array]
Stream = Callable[[Iterator[NDArray[np.int64]]], Generator[Array, None, None]]


@dataclass(frozen=True)
class RowStore:
    """`rows` rows of `shape` and `dtype` in `folder`; unfilled rows take no disk space (the files are sparse)."""

    folder: Path
    rows: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def open(
        cls, root: Path, kind: str, key: dict[str, Any], rows: int, shape: tuple[int, ...], dtype: DTypeLike
    ) -> RowStore:
        """Open or create the table for this key under `root`. A complete table may lie in a read-only folder.

        Raises StoreError when the folder cannot be written, or holds a table of another key.
        """
        dtype = np.dtype(dtype)
        whole_key = {"kind": kind, "format": FORMAT, "rows": rows, "shape": list(shape), "dtype": dtype.str, **key}
        folder = root / f"{kind}-{digest(whole_key)}"
        note = folder / "key.json"
        if note.exists():
            _check_key(note, whole_key)
        else:
            with told(folder):
                write_atomically(note, json.dumps(whole_key, indent=1))
        return cls(folder, rows, shape, dtype)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def shard_rows(self) -> int:
        """Rows of one file; the last may have fewer."""
        return max(1, min(self.rows, SHARD_BYTES // self.row_bytes))

    def shard_of(self, row: int) -> Shard:
        """The file that this row is in."""
        return self._shard(row // self.shard_rows)

    def missing(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the wanted rows that are not present, in the order given, each once."""
        unique = wanted[np.sort(np.unique(wanted, return_index=True)[1])]
        present = np.zeros(len(unique), np.bool_)
        for shard, at, places in self._by_shard(unique):
            present[at] = shard.present(places)
        return unique[~present]

    def fill(
        self,
        wanted: NDArray[np.int64],
        compute: Compute,
        *,
        batch: int,
        advance: Callable[[int], None] = lambda rows: None,
    ) -> int:
        """Compute and store what is missing of `wanted`, `batch` rows at a time; returns how many were computed.

        Ranges that nobody fills come first; of a range that another process is filling, this one waits for the end and
        then finds the rows present. `advance` is told after each batch. Raises StoreError when the disk is full or the
        folder read-only.
        """
        return self.fill_from(wanted, lambda chunks: (compute(rows) for rows in chunks), batch=batch, advance=advance)

    def fill_from(
        self,
        wanted: NDArray[np.int64],
        stream: Stream,
        *,
        batch: int,
        advance: Callable[[int], None] = lambda rows: None,
    ) -> int:
        """As `fill`, with a `stream` from chunks of rows to their contents, in turn: it may work on those to come."""
        absent = self.missing(wanted)
        waiting = [(shard, absent[at]) for shard, at, _ in self._by_shard(absent)]
        computed = 0
        while waiting:
            busy: list[tuple[Shard, NDArray[np.int64]]] = []
            for place, (shard, rows) in enumerate(waiting):
                last_hope = place == len(waiting) - 1 and len(busy) == place  # all are busy: wait for this one
                with shard.writing(wait=last_hope) as free:
                    if free:
                        computed += self._fill_shard(shard, rows, stream, batch, advance)
                    else:
                        busy.append((shard, rows))
            waiting = busy
        return computed

    def _fill_shard(
        self, shard: Shard, wanted: NDArray[np.int64], stream: Stream, batch: int, advance: Callable[[int], None]
    ) -> int:
        absent = self.missing(wanted)  # another process may have been here since
        chunks = [absent[start : start + batch] for start in range(0, len(absent), batch)]
        before, began = energy.here().joules(), time.perf_counter()
        with closing(stream(iter(chunks))) as contents:
            for rows, values in zip(chunks, contents, strict=True):
                content = self._content(rows, values)
                with told(self.folder):  # not around the stream: what it cannot read is no fault of this folder
                    shard.write(rows % self.shard_rows, content)
                    shard.add_time(len(rows), time.perf_counter() - began, energy.here().since(before))
                before, began = energy.here().joules(), time.perf_counter()
                advance(len(rows))
        return len(absent)

    def _content(self, rows: NDArray[np.int64], values: Array) -> NDArray[np.uint8]:
        if values.shape != (len(rows), *self.shape):
            raise ValueError(f"rows of shape {self.shape} are needed, got {values.shape[1:]} for {len(rows)} rows")
        return np.ascontiguousarray(values, dtype=self.dtype).reshape(len(rows), -1).view(np.uint8)

    def read(self, wanted: NDArray[np.int64]) -> Array:
        """A copy of these rows, [len(wanted), *shape]. All must be present, and every row is checked against its
        checksum. Raises StoreError that names the damaged file.
        """
        content = np.empty((len(wanted), self.row_bytes), np.uint8)
        for shard, at, places in self._by_shard(wanted):
            content[at], right = shard.read(places)
            if not right.all():
                raise StoreError(
                    f"The cache file {shard.data} is damaged",
                    found=f"{int((~right).sum())} of {len(places)} rows are missing or differ from their checksum, "
                    f"first {int(wanted[at][~right][0])}",
                    next_step="delete this file; its rows are computed again by the next command",
                )
        return content.view(self.dtype).reshape(len(wanted), *self.shape)

    def seconds_per_row(self) -> float:
        """Mean time that computing and writing one row took, over all rows so far; 0 when none was computed."""
        times = [self._shard(int(path.stem)).times() for path in self.folder.glob("*.times")]
        rows = sum(count for count, _ in times)
        return sum(seconds for _, seconds in times) / rows if rows else 0.0

    def joules_per_row(self) -> float | None:
        """Mean energy of computing and writing one row, over the rows where it was read; None where it never was."""
        used = [self._shard(int(path.stem)).energy() for path in self.folder.glob("*.times")]
        rows = sum(count for count, _ in used)
        return sum(joules for _, joules in used) / rows if rows else None

    def _shard(self, number: int) -> Shard:
        rows = min(self.shard_rows, self.rows - number * self.shard_rows)
        return Shard(self.folder, f"{number:05d}", rows, self.row_bytes)

    def _by_shard(self, wanted: NDArray[np.int64]) -> Iterator[tuple[Shard, NDArray[np.int64], NDArray[np.int64]]]:
        """Each file that holds some of the rows: the file, where in `wanted` these rows are, their places in it."""
        numbers = wanted // self.shard_rows
        for number in np.unique(numbers).tolist():
            at = np.flatnonzero(numbers == number)
            yield self._shard(number), at, wanted[at] % self.shard_rows


def _check_key(note: Path, expected: dict[str, Any]) -> None:
    """A folder is found by its name; what lies in it says what it is."""
    try:
        said = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = None
    if said != expected:
        found = said if isinstance(said, dict) else {}
        different = sorted(key for key in {*found, *expected} if found.get(key) != expected.get(key))
        raise StoreError(
            f"The cache folder {note.parent} does not hold what its name says",
            found=f"another {', '.join(different)} in key.json",
            next_step="delete this folder; it is rebuilt by the next command",
        )
