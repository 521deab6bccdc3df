"""Handwritten digits of scikit-learn: 1,797 grey images of 8x8 pixels that are always there, without a network.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998. No test split is
given.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from azeotrope.data.sources._source import Source, numbered_items
from azeotrope.errors import InputError

_GREYS = 16  # the highest value in the original


def open_source(name: str = "") -> Source:
    """The digits; there is only one set, so `name` must be empty."""
    if name:
        raise InputError("The source `digits` takes no name", found=repr(name), next_step="write `digits`")
    bunch = load_digits()
    pixels = np.round(bunch.images * (255 / _GREYS)).astype(np.uint8)
    return Source(
        name="digits",
        classes=tuple(str(digit) for digit in bunch.target_names),
        items=numbered_items(bunch.target, ""),
        read=lambda place: pixels[place],
        mirror=False,
        licence="CC BY 4.0",
    )
