"""Keeps what was worked out at some sizes for the next who asks: every pair of arms, and every question, asks for the
same sizes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from azeotrope.laws._law import Floats

MOST_BYTES = 64_000_000
"""Of all that is kept; errors of 3 arms at 400 sizes in 1,000 draws are 10 MB."""


class Kept:
    """Arrays by the sizes they belong to; the oldest go where all together would pass `most` bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._found: dict[bytes, Floats] = {}

    def at(self, sizes: Floats, make: Callable[[Floats], Floats]) -> Floats:
        """What `make` says of `sizes` [g]; not asked again while that is kept."""
        sizes = np.asarray(sizes, float)
        key = sizes.tobytes()
        if key not in self._found:
            made = make(sizes)
            while self._found and sum(one.nbytes for one in self._found.values()) + made.nbytes > self.most:
                self._found.pop(next(iter(self._found)))
            self._found[key] = made
        return self._found[key]
