"""Images decoded once, in parallel: whole, squared to one size, uint8, kept on disk, filled when first needed.

A picture that is not square is squeezed, not cropped: no border is lost, and every model of a comparison sees the
same squeezed frame in training and in use. Views are cut from these frames (`views`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from azeotrope.data.decode import Unreadable, decode
from azeotrope.data.look import checksum_of
from azeotrope.data.rowstore import RowStore
from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.record.processors import processors

DECODING = 2  # raise when the pixels of a pack change: what was computed from the old ones is then not read any more
_CHUNK = 256  # rows written at a time: what an interruption can cost


@dataclass(frozen=True)
class Pack:
    """The images of a task at `size` pixels with `channels` 1 (all are grey) or 3."""

    task: Task
    size: int
    channels: int
    store: RowStore

    def ensure(self, rows: NDArray[np.int64], advance: Callable[[int], None] = lambda rows: None) -> None:
        """Decode what is missing of these rows."""
        self.store.fill(rows, self.decode, batch=_CHUNK, advance=advance)

    def read(self, rows: NDArray[np.int64]) -> UInt8[Tensor, "n S S K"]:
        """These images; they must have been ensured."""
        return torch.from_numpy(self.store.read(rows))

    def decode(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """These images from their source, [n, S, S, K], on all processors; nothing is stored.

        Threads, not processes: Pillow decodes and resizes without the interpreter's lock, and nothing has to be copied
        from one process to another.
        """
        with ThreadPoolExecutor(processors()) as pool:
            return np.stack(list(pool.map(self._one, rows.tolist())))

    def _one(self, row: int) -> NDArray[np.uint8]:
        task = self.task
        try:
            raw = task.source.read(row)
            if task.source.formula is None and checksum_of(raw) != task.manifest.checksums[row]:
                raise Unreadable("its content has changed since")
            pixels = decode(raw, task.manifest.value_range).pixels
        except (Unreadable, OSError) as error:
            raise InputError(
                f"The image {task.manifest.keys[row]} could be read when the images were listed and now cannot",
                found=str(error),
                next_step="put it back, or give the command again: what has changed is then read anew "
                "(with --strict all images)",
            ) from error
        return squared(pixels, self.size, self.channels)


def squared(pixels: NDArray[np.uint8], size: int, channels: int) -> NDArray[np.uint8]:
    """The whole picture [H, W, 1 or 3] squeezed to [size, size, channels]; colour becomes grey where one is kept."""
    if pixels.shape[2] > channels:
        pixels = np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    if pixels.shape[:2] != (size, size):
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        resized = picture.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
        pixels = np.asarray(resized).reshape(size, size, -1)
    if pixels.shape[2] < channels:
        pixels = pixels.repeat(channels, axis=2)
    return pixels


def open_pack(task: Task, cache: Path, wanted: int) -> Pack:
    """The pack that serves models up to `wanted` pixels."""
    manifest = task.manifest
    size = stored_size(int(max(manifest.heights.max(), manifest.widths.max())), wanted)
    channels = int(manifest.channels[manifest.readable].max())
    key = {"fingerprint": manifest.fingerprint, "order": task.order_digest, "decoding": DECODING}
    store = RowStore.open(cache, "pack", key, len(manifest.labels), (size, size, channels), np.uint8)
    return Pack(task, size, channels, store)


def stored_size(native: int, wanted: int) -> int:
    """Pixels at which images of up to `native` pixels are kept for models of `wanted` pixels.

    Some 15 % more than wanted, so that a crop still has pixels to show, but never more than the images have.
    """
    return min(native, -(-wanted * 115 // 800) * 8)
