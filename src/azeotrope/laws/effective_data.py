"""Pretraining is worth so many task images: k P^b of them (after Hernandez et al. 2021, arXiv 2102.01293)."""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, Parameter, Prior, part
from azeotrope.laws._terms import FEW_EXPONENTS, FLOOR, amplitude, exponent, stack


class EffectiveData(Law):
    """Acts at small D and fades at large D. A shift in data only: two arms under one such law never change places."""

    formula = "e + B (D + k P^b)^-c"
    symbols = ("P", "D")
    parameters = (
        FLOOR,
        amplitude("B", ("D", "c")),
        Parameter(
            "k", "images", 1e-6, 1e6, (0.01, 0.1, 0.5, 2.0, 10.0), Prior(0.3, 2.0), scale=(("D", "1"), ("P", "-b"))
        ),
        exponent("b", prior=None, grid=FEW_EXPONENTS),
        exponent("c"),
    )
    reference = "after Hernandez et al. 2021, arXiv 2102.01293"
    right_when = "pretraining matters with few images and not with many; P = 0 is allowed"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus a power of the effective data."""
        effective = x[1] + self._worth(params, x)
        return np.asarray(part(params, 0) + part(params, 1) * effective ** -part(params, 4))

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, B, k, b, c."""
        floor, b, c = part(params, 0), part(params, 3), part(params, 4)
        worth = self._worth(params, x)
        effective = x[1] + worth
        above = part(params, 1) * effective**-c
        by_worth = -c * worth / effective * above
        size = np.log(np.where(x[0] > 0, x[0], 1.0))  # where P = 0 the worth is 0 and so is this derivative
        return floor + above, stack(floor, above, by_worth, b * size * by_worth, -c * np.log(effective) * above)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant and the power of the effective data."""
        k, b, c = (grid[:, i : i + 1] for i in range(3))
        power: Floats = (x[1] + k * x[0] ** b) ** -c
        return stack(np.ones_like(power), power)

    @staticmethod
    def _worth(params: Floats, x: Floats) -> Floats:
        return np.asarray(part(params, 2) * x[0] ** part(params, 3))


LAW = EffectiveData()
