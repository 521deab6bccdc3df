"""Error slides from chance to a floor along a logistic curve in log D: `sigmoid` with a = 1, solved in closed
form.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from azeotrope.laws._law import Floats, Law, part
from azeotrope.laws._terms import CHANCE, FLOOR, amplitude, decay, exponent, stack


class Bounded(Law):
    """Never above chance, never below the floor; one parameter fewer than `sigmoid`."""

    formula = "(e + e0 g) / (1 + g), g = A D^-b"
    symbols = ("D",)
    parameters = (FLOOR, amplitude("A", ("D", "b")), exponent("b"), CHANCE)
    reference = "M4 in Alabdulmohsin et al. 2022, arXiv 2209.06640, with its shape fixed at 1"
    right_when = "small sizes are near chance and sizes are few"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """A weighted mean of floor and chance."""
        floor, chance = part(params, 0), part(params, 3)
        return floor + (chance - floor) * self._share(params, x)

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by log e, log A, log b, log e0."""
        floor, b, chance = part(params, 0), part(params, 2), part(params, 3)
        share = self._share(params, x)
        steepness = (chance - floor) * share * (1 - share)
        rows = stack(floor * (1 - share), steepness, -b * np.log(x[0]) * steepness, chance * share)
        return floor + (chance - floor) * share, rows

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """From E = e + A D^−b (e0 − E) with the observed E on the right: linear in e and A."""
        chance, b = grid[:, 1:], grid[:, :1]
        power = decay(x[0], b) * np.maximum(chance - error, 1e-3 * chance)
        return stack(np.ones_like(power), power)

    @staticmethod
    def _share(params: Floats, x: Floats) -> Floats:
        share: Floats = expit(np.log(part(params, 1)) - part(params, 2) * np.log(x[0]))
        return share


LAW = Bounded()
