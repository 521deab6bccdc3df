"""A memory-mapped table of equal rows that is filled row by row, by whoever needs a row first.

Packs (decoded images) and the teacher cache are such tables: computed once, read by every run, interrupted at any
moment. A row counts as present only after its data reached the file, so a killed writer leaves rows missing, never
wrong. The folder's name is the hash of its key; a table made with another key is another folder, so a stale one is
never read.
"""

from __future__ import annotations

import fcntl
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from azeotrope.config import digest
from azeotrope.errors import StoreError
from azeotrope.record.store import cannot_write, write_atomically

Array = NDArray[Any]


@dataclass(frozen=True)
class RowStore:
    """`rows` rows of `shape` and `dtype` in `folder`; unfilled rows take no disk space (the file is sparse)."""

    folder: Path
    rows: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def open(
        cls, root: Path, kind: str, key: dict[str, Any], rows: int, shape: tuple[int, ...], dtype: DTypeLike
    ) -> RowStore:
        """Open or create the table for this key under `root`. Raises StoreError when the folder cannot be written."""
        dtype = np.dtype(dtype)
        whole_key = {"kind": kind, "format": 1, "rows": rows, "shape": list(shape), "dtype": dtype.str, **key}
        folder = root / f"{kind}-{digest(whole_key)}"
        store = cls(folder, rows, shape, dtype)
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with store._writing():
                _sized({folder / "rows.bin": rows * store.row_bytes, folder / "checks.bin": rows * 8})
                if not (folder / "key.json").exists():
                    write_atomically(folder / "key.json", json.dumps(whole_key, indent=1))
        return store

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def missing(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of the wanted rows that are not present, in the order given, each once."""
        unique = wanted[np.sort(np.unique(wanted, return_index=True)[1])]
        absent: NDArray[np.int64] = unique[self._checks()[unique] == 0]
        return absent

    def fill(
        self,
        wanted: NDArray[np.int64],
        compute: Callable[[NDArray[np.int64]], Array],
        *,
        batch: int,
        advance: Callable[[int], None] = lambda rows: None,
    ) -> int:
        """Compute and store what is missing of `wanted`, `batch` rows at a time; returns how many were computed.

        One writer at a time; another waits and then finds the rows present. `advance` is told after each batch.
        Raises StoreError when the disk is full or the folder read-only.
        """
        with self._writing():
            absent = self.missing(wanted)
            for start in range(0, len(absent), batch):
                rows = absent[start : start + batch]
                began = time.perf_counter()
                values = compute(rows)
                with _told(self.folder):  # not around compute: what it cannot read is no fault of this folder
                    self._write(rows, values)
                    self._add_time(len(rows), time.perf_counter() - began)
                advance(len(rows))
        return len(absent)

    def read(self, wanted: NDArray[np.int64]) -> Array:
        """A copy of these rows, [len(wanted), *shape]. All must be present; every row is checked against its
        checksum.
        """
        checks = self._checks()[wanted]
        data = np.asarray(self._data()[wanted])
        torn = [int(row) for row, values, check in zip(wanted, data, checks, strict=True) if _check(values) != check]
        if torn:
            raise StoreError(
                f"The cache {self.folder} is damaged",
                found=f"{len(torn)} of {len(wanted)} rows are missing or differ from their checksum, first {torn[0]}",
                next_step="delete this folder; it is rebuilt by the next command",
            )
        return data

    def seconds_per_row(self) -> float:
        """Mean time that computing and writing one row took, over all rows so far; 0 when none was computed."""
        rows, seconds = self._times()
        return seconds / rows if rows else 0.0

    def _times(self) -> tuple[int, float]:
        path = self.folder / "times.json"
        content = json.loads(path.read_text()) if path.exists() else {"rows": 0, "seconds": 0.0}
        return int(content["rows"]), float(content["seconds"])

    def _add_time(self, rows: int, seconds: float) -> None:
        """The first batch of a process pays for start-up (kernels chosen, files opened) and counts like any other."""
        all_rows, all_seconds = self._times()
        write_atomically(
            self.folder / "times.json",
            json.dumps({"rows": all_rows + rows, "seconds": all_seconds + seconds}),
            durable=False,
        )

    def _write(self, rows: NDArray[np.int64], values: Array) -> None:
        if values.shape != (len(rows), *self.shape):
            raise ValueError(f"rows of shape {self.shape} are needed, got {values.shape[1:]} for {len(rows)} rows")
        values = np.ascontiguousarray(values, dtype=self.dtype)
        checks = np.array([_check(value) for value in values], dtype=np.uint64)
        self._put("rows.bin", rows, values)
        self._put("checks.bin", rows, checks)  # only now do the rows count as present

    def _put(self, name: str, rows: NDArray[np.int64], values: Array) -> None:
        """Not through a memory map: a full disk is an error here, and a signal that kills the process there."""
        with (self.folder / name).open("r+b") as file:
            for row, value in zip(rows, values, strict=True):
                file.seek(int(row) * value.nbytes)
                file.write(value.tobytes())

    def _data(self) -> Array:
        return np.memmap(self.folder / "rows.bin", dtype=self.dtype, mode="r", shape=(self.rows, *self.shape))

    def _checks(self) -> np.memmap[Any, np.dtype[np.uint64]]:
        return np.memmap(self.folder / "checks.bin", dtype=np.uint64, mode="r", shape=(self.rows,))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with _told(self.folder):
            lock = (self.folder / "lock").open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Errors of the disk as StoreError, naming the folder."""
    try:
        yield
    except OSError as error:
        raise cannot_write(folder, error) from error


def _check(values: Array) -> int:
    """CRC-32 of a row plus one high bit, so that a present row never checks as zero."""
    return zlib.crc32(np.ascontiguousarray(values).tobytes()) | 1 << 32


def _sized(lengths: dict[Path, int]) -> None:
    """Make the files so many bytes long without writing them; if one has another length it was torn, and all start
    afresh: rows without their checksums are worth nothing, nor are checksums without rows.
    """
    if all(path.exists() and path.stat().st_size == length for path, length in lengths.items()):
        return
    for path, length in lengths.items():
        with path.open("wb") as file:
            file.truncate(length)
