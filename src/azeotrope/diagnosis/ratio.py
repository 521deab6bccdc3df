"""Shares of images with intervals, where both parts of the share may differ from seed to seed (answers of a class).

Two sources of error are joined: which test images (or clusters of them) were drawn, by Wilson's interval at the
effective number of images, and the seeds, by Student's t. It knows nothing of classes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from scipy import special

from azeotrope.record.clusters import widened
from azeotrope.record.interval import Interval

LEVEL = 0.95


def ratio(
    part: Float[np.ndarray, "seeds images"],
    whole: Float[np.ndarray, "seeds images"],
    clusters: Int64[np.ndarray, " images"] | None = None,
) -> Interval | None:
    """Σ `part` / Σ `whole` over seeds and images, in [0, 1]; None where the whole is nothing.

    The variance over images is that of a ratio of sums (Cochran 1977, 6.11), over clusters where there are some; the
    interval is Wilson's (1927) for as many images as have this variance.
    """
    total = whole.sum()
    if total == 0:
        return None
    value = float(part.sum() / total)
    below, above = _of_images(part.mean(axis=0), whole.mean(axis=0), value, clusters)
    of_seeds = _of_seeds(part.sum(axis=1), whole.sum(axis=1))
    low, high = value - np.hypot(below, of_seeds), value + np.hypot(above, of_seeds)
    return Interval(value, float(max(0.0, low)), float(min(1.0, high)), LEVEL)


def mean(values: Float[np.ndarray, "seeds images"], clusters: Int64[np.ndarray, " images"] | None = None) -> Interval:
    """The mean of any numbers, by the normal interval over images or clusters joined with Student's over seeds."""
    by_image = values.mean(axis=0)
    value = float(by_image.mean())
    sd, factor = _sd_of_sum(by_image - value, clusters)
    half = float(special.ndtri((1 + LEVEL) / 2)) * factor * sd / values.shape[1]
    whole = np.hypot(half, _of_seeds(values.sum(axis=1), np.full(len(values), float(values.shape[1]))))
    return Interval(value, value - float(whole), value + float(whole), LEVEL)


def transformed(found: Interval | None) -> Interval | None:
    """The interval of F1 = 2J / (1 + J) from that of J, the share of right ones among images that are of a class or
    are called so: F1 itself is no share of images.
    """
    if found is None:
        return None
    value, low, high = (2 * end / (1 + end) for end in (found.value, found.low, found.high))
    return Interval(value, low, high, found.level)


def _of_images(
    part: NDArray[np.float64], whole: NDArray[np.float64], value: float, clusters: NDArray[np.int64] | None
) -> tuple[float, float]:
    """How far Wilson's interval reaches below and above."""
    sd, factor = _sd_of_sum(part - value * whole, clusters)
    most = _groups(whole > 0, clusters) if clusters is not None else whole.sum()
    images = most if sd == 0 else min(whole.sum(), value * (1 - value) * whole.sum() ** 2 / (factor * sd) ** 2)
    z = float(special.ndtri((1 + LEVEL) / 2))
    middle = (value + z**2 / (2 * images)) / (1 + z**2 / images)
    half = z / (1 + z**2 / images) * np.sqrt(value * (1 - value) / images + z**2 / (4 * images**2))
    return float(max(0.0, value - (middle - half))), float(max(0.0, middle + half - value))


def _sd_of_sum(residuals: NDArray[np.float64], clusters: NDArray[np.int64] | None) -> tuple[float, float]:
    """Standard deviation of their sum when images (clusters) are drawn again, and what few clusters widen it by."""
    if clusters is None:
        count, sums, factor = len(residuals), residuals, 1.0
    else:
        sums = np.bincount(clusters, weights=residuals).astype(np.float64)
        count = _groups(np.ones(len(clusters), dtype=np.bool_), clusters)
        factor = widened(count)
    return float(np.sqrt((sums**2).sum() * count / max(1, count - 1))), factor


def _groups(chosen: NDArray[np.bool_], clusters: NDArray[np.int64]) -> int:
    return len(np.unique(clusters[chosen]))


def _of_seeds(part: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    """Half width of Student's interval of the seeds' own ratios; 0 of one seed, which knows no spread."""
    own = part[whole > 0] / whole[whole > 0]
    if len(own) < 2:
        return 0.0
    return float(special.stdtrit(len(own) - 1, (1 + LEVEL) / 2) * own.std(ddof=1) / np.sqrt(len(own)))
