"""Images as small squares, for comparing many of them. What is kept is the broad layout; detail is averaged away."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt, UInt8
from PIL import Image

SIDE = 16  # of the grey thumbnail kept for every image
_GAP = 4.0  # a large image is first reduced by a whole number, to no less than so many times the side: as good, faster


def as_picture(pixels: UInt[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W K"]:
    """What a person is shown of a picture, K 1 or 3: of two bands the first, of more than three the first three."""
    bands = pixels.shape[2]
    shown = pixels if bands in (1, 3) else np.ascontiguousarray(pixels[..., : 1 if bands == 2 else 3])
    return shown if shown.dtype == np.uint8 else (shown >> 8).astype(np.uint8)


def thumbnail(pixels: UInt[np.ndarray, "H W C"], side: int = SIDE, mode: str = "L") -> UInt8[np.ndarray, ...]:
    """The image squeezed to [side, side] (`mode` "L") or [side, side, 3] ("RGB"); each value weighs the area around it.

    By Lanczos' filter, for a box takes whole pixels only: it moves the parts of a picture of 40 pixels against those of
    the same picture of 48.
    """
    pixels = as_picture(pixels)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(image.convert(mode).resize((side, side), Image.Resampling.LANCZOS, reducing_gap=_GAP))
