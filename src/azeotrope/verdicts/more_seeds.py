"""How many paired seeds in all would probably settle what is INCONCLUSIVE, if things go on as they did.

A forecast, not a promise: the mean that more seeds will show is drawn from what these seeds say of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

FEWEST = 3
MOST = 60
"""Seeds beyond which nobody would go on."""
PROBABLY = 0.5


def seeds_needed(mean: float, variance: float, freedom: float, images: float, seeds: int, level: float) -> int | None:
    """The fewest seeds in all with which a verdict is more likely than not; None when `MOST` would not do.

    `mean` and `variance` are those of the differences over `seeds`, `images` is the variance that test images add.
    """
    wanted = np.arange(max(seeds + 1, FEWEST), MOST + 1)
    settled = np.flatnonzero(chance(mean, variance, freedom, images, seeds, wanted, level) >= PROBABLY)
    return int(wanted[settled[0]]) if len(settled) else None


def chance(
    mean: float,
    variance: float,
    freedom: float,
    images: float,
    seeds: int,
    wanted: NDArray[np.int64],
    level: float,
) -> NDArray[np.float64]:
    """Probability that the interval excludes zero once there are `wanted` [w] seeds in all, each above `seeds`."""
    tail = (1 + level) / 2
    student = special.stdtrit(freedom + wanted - seeds, tail)
    half = np.sqrt(student**2 * variance / wanted + special.ndtri(tail) ** 2 * images)
    spread = np.sqrt(max(variance, np.finfo(float).tiny) * (wanted - seeds) / (wanted * seeds))
    return np.asarray(special.ndtr((mean - half) / spread) + special.ndtr((-mean - half) / spread))
