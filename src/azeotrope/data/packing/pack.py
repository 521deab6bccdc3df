"""Images decoded once, in parallel: whole, squared to one size, kept on disk, filled when first needed.

A picture that is not square is squeezed unless the task says otherwise: no border is lost. Views that train, and all
that a teacher looks at, are cut from frames of one size (`views`). What a student is judged on went from its file to
the student's size in one resize, as on a device (`open_plain`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import Unreadable
from azeotrope.data.decoding.resize import filter_of
from azeotrope.data.listing.look import checksum_of
from azeotrope.data.packing.pack_rows import frames_are_pictures, squared, store_of, stored_size
from azeotrope.data.packing.rowstore import RowStore
from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.record.machine.processors import processors

_CHUNK = 256  # rows written at a time: what an interruption can cost


@dataclass(frozen=True)
class Pack:
    """The images of a task at `size` pixels with `channels`: 1 (all are grey), 3, or the bands of the files. `seen` are
    the places of those that its reader is shown (None: all). `interpolation` is the filter of plain pictures (None:
    frames).
    """

    task: Task
    size: int
    channels: int
    store: RowStore
    seen: tuple[int, ...] | None = None
    interpolation: str | None = None

    def showing(self, bands: tuple[int, ...] | None) -> Pack:
        """The same with these bands only, numbered as in the files (None: all). Raises InputError for one that is not
        there.
        """
        return self if bands is None else replace(self, seen=self.task.manifest.places_of(bands))

    def ensure(self, rows: NDArray[np.int64], advance: Callable[[int], None] = lambda rows: None) -> None:
        """Decode what is missing of these rows."""
        self.store.fill(rows, self.decode, batch=_CHUNK, advance=advance)

    def read(self, rows: NDArray[np.int64]) -> UInt[Tensor, "n S S K"]:
        """These images; they must have been ensured."""
        return torch.from_numpy(self.pixels(rows))

    def pixels(self, rows: NDArray[np.int64]) -> UInt[np.ndarray, "n S S K"]:
        """The same as an array."""
        stored = self.store.read(rows)
        return stored if self.seen is None else np.ascontiguousarray(stored[..., list(self.seen)])

    def decode(self, rows: NDArray[np.int64]) -> UInt[np.ndarray, "n S S K"]:
        """These images from their source, [n, S, S, K], on all processors; nothing is stored.

        Threads, not processes: Pillow decodes and resizes without the interpreter's lock, and nothing has to be copied
        from one process to another.
        """
        with ThreadPoolExecutor(processors()) as pool:
            return np.stack(list(pool.map(self._one, rows.tolist())))

    def _one(self, row: int) -> UInt[np.ndarray, "S S K"]:
        task = self.task
        try:
            raw = task.source.read(row)
            if task.source.formula is None and checksum_of(raw) != task.manifest.checksums[row]:
                raise Unreadable("its content has changed since")
            pixels = decode(raw, task.manifest.reading).pixels
        except (Unreadable, OSError) as error:
            raise InputError(
                f"The image {task.manifest.keys[row]} could be read when the images were listed and now cannot",
                found=str(error),
                next_step="put it back, or give the command again: what has changed is then read anew "
                "(with --strict all images)",
            ) from error
        return squared(pixels, self.size, self.channels, task.manifest.pixels.fit, self.interpolation)


def open_pack(task: Task, cache: Path, wanted: int) -> Pack:
    """The frames that serve models up to `wanted` pixels."""
    size = stored_size(task.manifest.side, wanted)
    return Pack(task, size, task.manifest.bands, store_of(task.manifest, cache, size))


def open_plain(task: Task, cache: Path, size: int, interpolation: str) -> Pack:
    """What plain views of models of `size` pixels are made of with one resize at most: the pictures at that size, or
    the frames where these are the pictures as they came.
    """
    if frames_are_pictures(task.manifest, size):
        return open_pack(task, cache, size)
    kind = filter_of(interpolation)
    store = store_of(task.manifest, cache, size, kind)
    return Pack(task, size, task.manifest.bands, store, interpolation=kind)
