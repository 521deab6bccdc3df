"""Worlds whose truth is known, and runs of them with noise that paired seeds share: what estimators are tested on.

Curves are written here by hand, not taken from `laws/`, so that a mistake there cannot hide. Nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = Callable[[Floats], Floats]

SEVEN: Floats = np.geomspace(250, 16000, 7)
"""Sizes of METHOD's own simulation: seven, a factor 2 apart."""


def power(floor: float, amplitude: float, exponent: float) -> Curve:
    """Error floor + amplitude D^-exponent."""
    return lambda size: np.asarray(floor + amplitude * np.asarray(size, float) ** -exponent)


def saturating(floor: float, amplitude: float, exponent: float, chance: float = 0.9) -> Curve:
    """Near `chance` at small sizes, then falling to the floor: the shape that power laws with a floor cannot take."""

    def error(size: Floats) -> Floats:
        above = amplitude * np.asarray(size, float) ** -exponent
        return np.asarray((floor + chance * above) / (1 + above))

    return error


# METHOD 7, equal exponents: D* = ((A_n - A_d) / (e_d - e_n)) ** (1 / b).
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
    seed: int = 0,
) -> pl.DataFrame:
    """Runs of "distill" and "scratch": log-normal noise of `sd`, correlated between the arms of a seed."""
    rng = np.random.default_rng(seed)
    spread = sd**2 * np.array([[1, correlation], [correlation, 1]])
    rows = []
    for size in sizes:
        for number, noise in enumerate(np.exp(rng.multivariate_normal([0, 0], spread, size=seeds))):
            truth = [float(arm(np.array(size))) for arm in arms]
            rows += [("distill", size, number, truth[0] * noise[0]), ("scratch", size, number, truth[1] * noise[1])]
    return pl.DataFrame(rows, schema=["arm", "train_images", "seed", "test_error"], orient="row")
