"""Images as small squares, for comparing many of them. What is kept is the broad layout; detail is averaged away."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PIL import Image

SIDE = 16  # of the grey thumbnail kept for every image


def thumbnail(pixels: UInt8[np.ndarray, "H W C"], side: int = SIDE, mode: str = "L") -> UInt8[np.ndarray, ...]:
    """The image squeezed to [side, side] (`mode` "L") or [side, side, 3] ("RGB"); each value averages the area it
    stands for.
    """
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(image.convert(mode).resize((side, side), Image.Resampling.BOX))
