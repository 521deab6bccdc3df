"""A table of rows that is filled before its name is known: the pack of a set whose fingerprint is not known yet.

Its files become those of a `RowStore` by a new name, without being read. A row's checksum starts from the name of its
table, so it is kept from zero and the start is added at the end: a CRC is linear in it.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from shutil import rmtree

import numpy as np
from numpy.typing import DTypeLike

from azeotrope.data.packing.rowstore import RowStore
from azeotrope.data.packing.shard import PRESENT, Array

_CREATED = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)  # Windows would translate line ends


class Draft:
    """`rows` rows of `shape` and `dtype` in `folder`, filled by several threads, each row by one of them. `seconds` is
    the time that its rows took, of all threads together.
    """

    def __init__(self, folder: Path, rows: int, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._table = RowStore(folder, rows, shape, np.dtype(dtype))
        self._sums = np.zeros(rows, np.uint64)
        self.seconds = 0.0
        folder.mkdir()

    def put(self, row: int, content: Array) -> None:
        """Store one row. Raises OSError, also where only a part of it could be written."""
        if content.shape != self._table.shape:
            raise ValueError(f"a row of shape {self._table.shape} is needed, got {content.shape}")
        shard, place = self._table.shard_of(row), row % self._table.shard_rows
        flat = np.ascontiguousarray(content, self._table.dtype).reshape(-1).view(np.uint8)
        with open(os.open(shard.data, _CREATED, 0o666), "r+b") as file:  # noqa: PTH123 (of a descriptor)
            file.seek(place * flat.nbytes)
            file.write(flat.data)
        self._sums[row] = zlib.crc32(flat.data) | PRESENT

    @property
    def rows_filled(self) -> int:
        """How many rows it has."""
        return int((self._sums > 0).sum())

    def become(self, store: RowStore, seconds_per_row: float, joules_per_row: float | None) -> int:
        """Its rows are those of the store from now on, file by file, but for files that the store has already; returns
        how many. Raises OSError or StoreError.
        """
        adopted = 0
        for first in range(0, store.rows, store.shard_rows):
            sums = self._sums[first : first + store.shard_rows]
            if not sums.any():
                continue
            rows = int((sums > 0).sum())
            if store.shard_of(first).adopt(self._table.shard_of(first).data, sums):
                store.shard_of(first).add_time(
                    rows, rows * seconds_per_row, None if joules_per_row is None else rows * joules_per_row
                )
                adopted += rows
        return adopted

    def discard(self) -> None:
        """Delete its files; a thread that is about to store a row then fails."""
        rmtree(self._table.folder, ignore_errors=True)
