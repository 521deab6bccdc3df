"""Parameters, pretraining images and task images multiply: `multiplicative` (Zhang et al. 2024) over three axes."""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, part
from azeotrope.laws._terms import FEW_EXPONENTS, FLOOR, amplitude, decay, exponent, stack


class JointMultiplicative(Law):
    """Its log above the floor is a plane in the logs of the three sizes: each makes the others worth more."""

    formula = "e + A N^-a P^-b D^-c"
    symbols = ("N", "P", "D")
    needs_positive = ("N", "P", "D")
    parameters = (
        FLOOR,
        amplitude("A", ("N", "a"), ("P", "b"), ("D", "c")),
        exponent("a", prior=None, grid=FEW_EXPONENTS),
        exponent("b", prior=None, grid=FEW_EXPONENTS),
        exponent("c"),
    )
    reference = "equation 1 of Zhang et al. 2024, arXiv 2402.17193, with a third factor"
    right_when = (
        "a larger student, more pretraining and more task images each help by one factor, whatever the others are"
    )

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus a product of three powers."""
        return part(params, 0) + self._above(params, x)

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, A, a, b, c."""
        floor, above = part(params, 0), self._above(params, x)
        slopes = (-part(params, 2 + axis) * np.log(x[axis]) * above for axis in range(3))
        return floor + above, stack(floor, above, *slopes)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant and N^−a P^−b D^−c."""
        product = decay(x[0], grid[:, :1]) * decay(x[1], grid[:, 1:2]) * decay(x[2], grid[:, 2:])
        return stack(np.ones_like(product), product)

    @staticmethod
    def _above(params: Floats, x: Floats) -> Floats:
        powers = [decay(x[axis], part(params, 2 + axis)) for axis in range(3)]
        return part(params, 1) * powers[0] * powers[1] * powers[2]


LAW = JointMultiplicative()
