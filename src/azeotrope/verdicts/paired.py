"""Intervals of a mean, from few paired seeds and from resampled test images. It draws no conclusion from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from azeotrope.record.interval import Interval

RESAMPLES = 2000


def t_interval(values: ArrayLike, level: float = 0.95) -> Interval | None:
    """Student's t interval of the mean of `values` [n]; None below two values, which say nothing of their spread."""
    sample = np.asarray(values, dtype=float)
    if len(sample) < 2:
        return None
    mean = float(sample.mean())
    half = float(special.stdtrit(len(sample) - 1, (1 + level) / 2) * sample.std(ddof=1) / np.sqrt(len(sample)))
    return Interval(mean, mean - half, mean + half, level)


def bootstrap_sd(per_image: NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 0) -> float:
    """Standard error of the mean of `per_image` [images], by resampling images with replacement.

    The few distinct values are counted first, so that a resample is one multinomial draw: the same distribution as
    drawing image by image, at a cost that does not grow with the test set.
    """
    values, counts = np.unique(per_image, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(per_image), counts / len(per_image), size=resamples)
    return float((drawn @ values / len(per_image)).std(ddof=1))


def normal_interval(value: float, sd: float, level: float = 0.95) -> Interval:
    """The interval of a value with known standard error `sd`."""
    half = float(special.ndtri((1 + level) / 2)) * sd
    return Interval(value, value - half, value + half, level)


def widen(value: float, parts: list[Interval], *, low: float, high: float, level: float = 0.95) -> Interval:
    """Independent sources of error as one interval: half widths add in squares; cut to the possible [low, high]."""
    half = float(np.sqrt(sum(((part.high - part.low) / 2) ** 2 for part in parts)))
    return Interval(value, max(low, value - half), min(high, value + half), level)
