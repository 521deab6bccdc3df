"""Which test images a run got right, as it is kept in a record: one bit an image, as text."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray


def unpack_correct(text: str, images: int | None = None) -> NDArray[np.bool_]:
    """Right or wrong, [images]; without their number, padded with wrong ones to whole bytes."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), dtype=np.uint8), count=images).astype(bool)
