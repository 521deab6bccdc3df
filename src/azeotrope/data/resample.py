"""A box of a picture, resampled to a square of 8-bit pixels: whole batches, antialiased, the same pixels everywhere.

On the CPU Pillow does it, in integers, so a picture's pixels depend neither on its batch nor on the machine;
at 224 px it takes a small part of the time of the matrix products (docs/log.md). Other devices multiply by matrices
that hold Pillow's weights and round where Pillow rounds; the two differ by one level (1/255) at most, where a
sum falls on the edge of rounding. It knows nothing of colours or policies (`views`).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

_PILLOW = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
_WORTH_A_THREAD = 1 << 20  # values to be made; below it, starting threads costs more than it saves


@dataclass(frozen=True)
class Boxes:
    """B boxes in shares of the picture's height and width, and whether each is mirrored."""

    top: NDArray[np.float32]
    left: NDArray[np.float32]
    height: NDArray[np.float32]
    width: NDArray[np.float32]
    mirror: NDArray[np.bool_]


def resample(
    images: UInt8[Tensor, "B S S K"], boxes: Boxes, size: int, interpolation: str
) -> UInt8[Tensor, "B size size K"]:
    """The boxes of these pictures at `size` pixels. `interpolation` is bilinear or bicubic; other names that
    configurations use (lanczos, random) mean bicubic.
    """
    kind = interpolation if interpolation in _PILLOW else "bicubic"
    return (
        by_pillow(images, boxes, size, kind) if images.device.type == "cpu" else by_matrices(images, boxes, size, kind)
    )


def by_pillow(
    images: UInt8[Tensor, "B S S K"], boxes: Boxes, size: int, interpolation: str
) -> UInt8[Tensor, "B size size K"]:
    """One picture after the other, in as many threads as torch uses (Pillow resizes without the interpreter's lock)."""
    batch, stored, _, channels = images.shape
    pictures = images.numpy() if channels > 1 else images[..., 0].numpy()
    made = np.empty((batch, size, size, *pictures.shape[3:]), np.uint8)
    right, bottom = boxes.left + boxes.width, boxes.top + boxes.height
    corners = (np.stack([boxes.left, boxes.top, right, bottom], axis=1) * np.float32(stored)).clip(0, stored).tolist()
    kernel, flips = _PILLOW[interpolation], boxes.mirror.tolist()

    def make(places: range) -> None:
        for place in places:
            picture = Image.fromarray(pictures[place]).resize((size, size), kernel, box=corners[place])
            if flips[place]:
                picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            made[place] = picture

    threads = torch.get_num_threads() if made.size >= _WORTH_A_THREAD else 1
    if threads == 1:
        make(range(batch))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(make, _shares(batch, threads)))
    return torch.from_numpy(made).view(batch, size, size, channels)


def by_matrices(
    images: UInt8[Tensor, "B S S K"], boxes: Boxes, size: int, interpolation: str
) -> UInt8[Tensor, "B size size K"]:
    """The whole batch at once: along the width, then along the height, as Pillow goes, rounded after each."""
    device, stored = images.device, images.shape[1]
    upright = np.zeros_like(boxes.mirror)
    columns = _weights(boxes.left, boxes.width, boxes.mirror, stored, size, interpolation, device)
    rows = _weights(boxes.top, boxes.height, upright, stored, size, interpolation, device)
    with torch.autocast(device_type=device.type, enabled=False):
        pixels = images.permute(0, 3, 1, 2).to(torch.float32)
        wide = _rounded(pixels @ columns[:, None].transpose(-1, -2))
        made = _rounded(rows[:, None] @ wide)
    return made.to(torch.uint8).permute(0, 2, 3, 1)


def _weights(
    start: NDArray[np.float32],
    length: NDArray[np.float32],
    flip: NDArray[np.bool_],
    stored: int,
    size: int,
    interpolation: str,
    device: torch.device,
) -> Float[Tensor, "B size stored"]:
    """Weights that resample the part [start, start + length) of `stored` pixels to `size` pixels, along one axis.

    The kernel is widened when it shrinks the picture (antialiasing); rows sum to 1.
    """
    begin = torch.from_numpy(start).to(device)[:, None] * stored
    scale = torch.from_numpy(length).to(device)[:, None] * (stored / size)
    output = torch.arange(size, device=device, dtype=torch.float32)[None] + 0.5
    output = torch.where(torch.from_numpy(flip).to(device)[:, None], size - output, output)
    centre = begin + output * scale
    distance = torch.arange(stored, device=device, dtype=torch.float32)[None, None] + 0.5 - centre[:, :, None]
    weights = _KERNELS[interpolation](distance / scale.clamp_min(1.0)[:, :, None])
    return weights / weights.sum(dim=-1, keepdim=True)


def _rounded(values: Tensor) -> Tensor:
    return values.add_(0.5).floor_().clamp_(0, 255)


def _triangle(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp_min_(0)


def _keys(x: Tensor, a: float = -0.5) -> Tensor:
    """The cubic of Keys 1981 with the a that Pillow uses."""
    x = x.abs()
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


_KERNELS = {"bilinear": _triangle, "bicubic": _keys}


def _shares(count: int, parts: int) -> Iterator[range]:
    """`count` places in `parts` equal runs."""
    for part in range(parts):
        yield range(part * count // parts, (part + 1) * count // parts)
