"""Worlds whose truth is known, and runs of them with noise that paired seeds share: what estimators are tested on.

Curves are written here by hand, not taken from `laws/`, so that a mistake there cannot hide. Nothing is estimated.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

Floats: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = Callable[[Floats], Floats]

SEVEN: Floats = np.geomspace(250, 16000, 7)
"""Seven sizes, a factor 2 apart."""


def power(floor: float, amplitude: float, exponent: float) -> Curve:
    """Error floor + amplitude D^-exponent."""
    return lambda size: np.asarray(floor + amplitude * np.asarray(size, float) ** -exponent)


def saturating(floor: float, amplitude: float, exponent: float, chance: float = 0.9) -> Curve:
    """Near `chance` at small sizes, then falling to the floor: the shape that power laws with a floor cannot take."""

    def error(size: Floats) -> Floats:
        above = amplitude * np.asarray(size, float) ** -exponent
        return np.asarray((floor + chance * above) / (1 + above))

    return error


# With equal exponents D* = ((A_n - A_d) / (e_d - e_n)) ** (1 / b).
CROSSING_AT = ((4 - 2.78) / (0.10 - 0.06)) ** (1 / 0.45)
CROSSING = power(0.10, 2.78, 0.45), power(0.06, 4.0, 0.45)
NONE = power(0.05, 2.8, 0.45), power(0.06, 4.0, 0.45)
WINDOW = power(0.10, 20.0, 0.85), power(0.02, 1.5, 0.33)


def runs(
    arms: tuple[Curve, Curve],
    *,
    sizes: Sequence[float] | Floats = SEVEN,
    seeds: int = 3,
    sd: float = 0.03,
    correlation: float = 0.6,
    neighbours: float = 0.0,
    test_images: int | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Runs of "distill" and "scratch": log-normal noise of `sd`, correlated between the arms of a seed, and by
    `neighbours` between neighbouring sizes of a seed. With `test_images` every run answers the same images and its
    error is the share that it gets wrong; the answers are in `correct_bits`.
    """
    rng = np.random.default_rng(seed)
    number = len(sizes)
    apart = neighbours ** np.abs(np.subtract.outer(np.arange(number), np.arange(number)))
    spread = sd**2 * np.kron(apart, [[1, correlation], [correlation, 1]])
    noise = np.exp(rng.multivariate_normal(np.zeros(2 * number), spread, size=seeds)).reshape(seeds, number, 2)
    images = rng.standard_normal(test_images or 0)
    rows = []
    for place, size in enumerate(sizes):
        truth = [float(arm(np.array(size))) for arm in arms]
        for replicate in range(seeds):
            for arm, name in enumerate(("distill", "scratch")):
                error = truth[arm] * noise[replicate, place, arm]
                rows.append((name, size, replicate, *_tested(error, images, rng)))
    columns = ["arm", "train_images", "seed", "test_error"]
    return pl.DataFrame(
        rows, schema=columns + ["test_images", "correct_bits"] * (test_images is not None), orient="row"
    )


ALIKE = 0.85
"""Share of an image's difficulty that all runs agree on: answers of two runs then correlate by about 0.6, and means of
three seeds by about 0.8, as on Fashion-MNIST (`curves/image_sampling.py`)."""


def _tested(error: float, images: Floats, rng: np.random.Generator) -> tuple[float | int | str, ...]:
    """The error itself, or what a run of that error gets wrong of `images`: share, number and packed answers."""
    if not len(images):
        return (error,)
    hardness = np.sqrt(ALIKE) * images + np.sqrt(1 - ALIKE) * rng.standard_normal(len(images))
    correct = hardness > stats.norm.ppf(min(error, 0.999))
    return float(1 - correct.mean()), len(images), base64.b64encode(np.packbits(correct).tobytes()).decode("ascii")
