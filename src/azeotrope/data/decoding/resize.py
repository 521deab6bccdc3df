"""Pictures of any number of bands, of 8 or 16 bits, by Pillow's antialiased filters.

Pillow resizes grey and colour of 8 bits whole, in integers. Of four bands it would take the last for alpha, and of 16
bits it knows grey alone: other pictures go band by band, those of 16 bits in single precision.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt
from numpy.typing import NDArray
from PIL import Image

GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow

Filter = Literal["bilinear", "bicubic"]


def filter_of(interpolation: str) -> Filter:
    """Pillow's filter for what a model's configuration names; other names (lanczos, random) mean bicubic."""
    return "bilinear" if interpolation == "bilinear" else "bicubic"


def kernel_of(interpolation: str) -> Image.Resampling:
    """The same as Pillow calls it."""
    return Image.Resampling[filter_of(interpolation).upper()]


def whole(pixels: UInt[np.ndarray, "... C"]) -> bool:
    """Whether Pillow takes all channels of such pixels at once."""
    return pixels.dtype == np.uint8 and pixels.shape[-1] in (1, 3)


def resized(
    pixels: UInt[np.ndarray, "H W C"],
    size: int,
    kernel: Image.Resampling,
    *,
    box: tuple[float, float, float, float] | None = None,
    reducing_gap: float | None = None,
) -> UInt[np.ndarray, "size size C"]:
    """The picture, or the `box` of it (left, top, right, bottom in pixels), at `size` pixels."""
    resize = partial(_resize, size=(size, size), kernel=kernel, box=box, reducing_gap=reducing_gap)
    if whole(pixels):
        return resize(pixels[..., 0] if pixels.shape[2] == 1 else pixels).reshape(size, size, -1)
    made = np.empty((size, size, pixels.shape[2]), pixels.dtype)
    for band in range(pixels.shape[2]):
        plane = pixels[..., band] if pixels.dtype == np.uint8 else pixels[..., band].astype(np.float32)
        shown = resize(np.ascontiguousarray(plane))
        made[..., band] = shown if pixels.dtype == np.uint8 else np.rint(shown).clip(0, np.iinfo(pixels.dtype).max)
    return made


def grey(pixels: UInt[np.ndarray, "H W 3"]) -> UInt[np.ndarray, "H W 1"]:
    """Luma of a colour picture."""
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    luma: NDArray[np.float64] = pixels.astype(np.float64) @ np.array(GREY)
    return np.rint(luma).astype(pixels.dtype)[:, :, None]


def _resize(
    pixels: NDArray[Any],
    size: tuple[int, int],
    kernel: Image.Resampling,
    box: tuple[float, float, float, float] | None,
    reducing_gap: float | None,
) -> NDArray[Any]:
    return np.asarray(Image.fromarray(pixels).resize(size, kernel, box=box, reducing_gap=reducing_gap))
