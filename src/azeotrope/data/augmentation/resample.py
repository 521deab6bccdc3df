"""A box of a picture, resampled to a square of as many bits: whole batches, antialiased, the same pixels everywhere.

On the CPU Pillow does it, in integers, so a picture's pixels depend neither on its batch nor on the machine;
at 224 px it takes a small part of the time of the matrix products (docs/log.md). Other devices multiply by matrices
that hold Pillow's weights and round where Pillow rounds; the two differ by one level (1/255) at most, where a
sum falls on the edge of rounding. It knows nothing of colours or policies (`views`).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float, UInt
from torch import Tensor

from azeotrope.data.augmentation.views import Views
from azeotrope.data.decoding.resize import filter_of, kernel_of, resized

_WORTH_A_THREAD = 1 << 20  # values to be made; below it, starting threads costs more than it saves


def resample(
    images: UInt[Tensor, "B S S K"], views: Views[Tensor], size: int, interpolation: str
) -> UInt[Tensor, "B size size K"]:
    """The boxes of these views at `size` pixels; colours are left to `render`. `interpolation` as for `filter_of`."""
    kind = filter_of(interpolation)
    return (
        by_pillow(images, views, size, kind) if images.device.type == "cpu" else by_matrices(images, views, size, kind)
    )


def by_pillow(
    images: UInt[Tensor, "B S S K"], views: Views[Tensor], size: int, interpolation: str
) -> UInt[Tensor, "B size size K"]:
    """One picture after the other, in as many threads as torch uses (Pillow resizes without the interpreter's lock)."""
    batch, stored, _, channels = images.shape
    pictures = images.numpy()
    made = np.empty((batch, size, size, channels), pictures.dtype)
    top, left, height, width = (views.column(name).numpy() for name in ("top", "left", "height", "width"))
    corners = (np.stack([left, top, left + width, top + height], axis=1) * np.float32(stored)).clip(0, stored).tolist()
    kernel, flips = kernel_of(interpolation), views.column("mirror").tolist()

    def make(places: range) -> None:
        for place in places:
            shown = resized(pictures[place], size, kernel, box=corners[place])
            made[place] = shown[:, ::-1] if flips[place] else shown

    threads = torch.get_num_threads() if made.size >= _WORTH_A_THREAD else 1
    if threads == 1:
        make(range(batch))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(make, _shares(batch, threads)))
    return torch.from_numpy(made)


def by_matrices(
    images: UInt[Tensor, "B S S K"], views: Views[Tensor], size: int, interpolation: str
) -> UInt[Tensor, "B size size K"]:
    """The whole batch at once: along the width, then the height, as Pillow goes, which rounds 8 bits after each."""
    stored, mirror = images.shape[1], views.column("mirror")
    columns = _weights(views.column("left"), views.column("width"), mirror, stored, size, interpolation)
    rows = _weights(views.column("top"), views.column("height"), torch.zeros_like(mirror), stored, size, interpolation)
    with torch.autocast(device_type=images.device.type, enabled=False):
        pixels = images.permute(0, 3, 1, 2).to(torch.float32)
        peak = torch.iinfo(images.dtype).max
        wide = pixels @ columns[:, None].transpose(-1, -2)
        wide = _rounded(wide, peak) if images.dtype == torch.uint8 else wide  # Pillow's, of single precision, are not
        made = _rounded(rows[:, None] @ wide, peak)
    return made.to(images.dtype).permute(0, 2, 3, 1)


def _weights(
    start: Float[Tensor, " B"],
    length: Float[Tensor, " B"],
    flip: Float[Tensor, " B"],
    stored: int,
    size: int,
    interpolation: str,
) -> Float[Tensor, "B size stored"]:
    """Weights that resample the part [start, start + length) of `stored` pixels to `size` pixels, along one axis.

    The kernel is widened when it shrinks the picture (antialiasing); rows sum to 1.
    """
    device = start.device
    begin = start[:, None] * stored
    scale = length[:, None] * (stored / size)
    output = torch.arange(size, device=device, dtype=torch.float32)[None] + 0.5
    output = torch.where(flip[:, None] > 0, size - output, output)
    centre = begin + output * scale
    distance = torch.arange(stored, device=device, dtype=torch.float32)[None, None] + 0.5 - centre[:, :, None]
    weights = _KERNELS[interpolation](distance / scale.clamp_min(1.0)[:, :, None])
    return weights / weights.sum(dim=-1, keepdim=True)


def _rounded(values: Tensor, peak: int) -> Tensor:
    return values.add_(0.5).floor_().clamp_(0, peak)


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
