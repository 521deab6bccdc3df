"""What a row of a pack is: a picture squared to one size; and which table holds those of a set.

A picture that is not square is squeezed unless the task says otherwise: no border is lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt
from PIL import Image

from azeotrope.data.decoding.resize import grey, kernel_of, resized
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.packing.rowstore import RowStore
from azeotrope.labels import Fit, PixelSpec

DECODING = 3  # raise when the pixels of a pack change: what was computed from the old ones is then not read any more


def squared(
    pixels: UInt[np.ndarray, "H W C"],
    size: int,
    channels: int,
    fit: Fit = "squeeze",
    interpolation: str | None = None,
) -> UInt[np.ndarray, "S S K"]:
    """The picture at [size, size, channels], whole or as `fit` says; colour becomes grey where one is kept, grey is
    repeated. It is resized once, by the filter that `interpolation` names, or as frames are (None): bicubic, where one
    that is six times too large or more is first averaged in whole blocks.
    """
    if fit != "squeeze":
        pixels = fitted(pixels, fit)
    if pixels.shape[2] > channels:
        pixels = grey(pixels)
    if pixels.shape[:2] != (size, size):
        if interpolation is None:
            pixels = resized(pixels, size, Image.Resampling.BICUBIC, reducing_gap=3.0)
        else:
            pixels = resized(pixels, size, kernel_of(interpolation))
    if pixels.shape[2] < channels:
        pixels = pixels.repeat(channels, axis=2)
    return pixels


def fitted(pixels: UInt[np.ndarray, "H W C"], fit: Literal["crop", "pad"]) -> UInt[np.ndarray, "side side C"]:
    """The square in the middle, or the picture in the middle of a black square; a square stays as it is."""
    height, width, channels = pixels.shape
    if height == width:
        return pixels
    side = min(height, width) if fit == "crop" else max(height, width)
    top, left = abs(height - side) // 2, abs(width - side) // 2
    if fit == "crop":
        return np.ascontiguousarray(pixels[top : top + side, left : left + side])
    made = np.zeros((side, side, channels), pixels.dtype)
    made[top : top + height, left : left + width] = pixels
    return made


def frames_are_pictures(manifest: Manifest, wanted: int) -> bool:
    """Whether frames for models of `wanted` pixels are the pictures themselves, all of one size: a plain view of them
    is then one resize.
    """
    sides = np.stack([manifest.heights, manifest.widths])[:, manifest.readable]
    if manifest.pixels.fit != "squeeze":
        sides = sides.min(axis=0) if manifest.pixels.fit == "crop" else sides.max(axis=0)
    return bool((sides == stored_size(manifest.side, wanted)).all())


def store_of(manifest: Manifest, cache: Path, size: int, interpolation: str | None = None) -> RowStore:
    """The table of the frames of this size, or of the plain pictures that this filter makes."""
    key = {"fingerprint": manifest.fingerprint, "order": manifest.order_digest, "decoding": DECODING}
    kind, how = ("pack", {}) if interpolation is None else ("plain", {"filter": interpolation})
    shape = (size, size, manifest.bands)
    return RowStore.open(cache, kind, {**key, **how}, len(manifest.labels), shape, depth_of(manifest.pixels))


def depth_of(pixels: PixelSpec) -> type[np.unsignedinteger]:
    """What a level is stored as."""
    return np.uint16 if pixels.bits == 16 else np.uint8


def stored_size(native: int, wanted: int) -> int:
    """Pixels at which images of up to `native` pixels are kept for models of `wanted` pixels.

    Some 15 % more than wanted, so that a crop still has pixels to show, but never more than the images have.
    """
    return min(native, -(-wanted * 115 // 800) * 8)
