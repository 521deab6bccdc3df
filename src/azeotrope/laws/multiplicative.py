"""Data and a second resource multiply: each makes the other worth more (Zhang et al. 2024, arXiv 2402.17193)."""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, part
from azeotrope.laws._terms import FLOOR, amplitude, decay, exponent, stack


class Multiplicative(Law):
    """X is model size or pretraining images. Its log is a plane above the floor, so X helps by the same factor at
    every D.
    """

    formula = "e + A X^-a D^-b"
    symbols = ("X", "D")
    needs_positive = ("X", "D")
    parameters = (FLOOR, amplitude("A", ("X", "a"), ("D", "b")), exponent("a", prior=None), exponent("b"))
    reference = "Zhang et al. 2024, arXiv 2402.17193, equation 1"
    right_when = "the second resource helps by the same factor at every amount of data"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus a product of powers."""
        return part(params, 0) + self._above(params, x)

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, A, a, b."""
        floor, a, b = part(params, 0), part(params, 2), part(params, 3)
        above = self._above(params, x)
        return floor + above, stack(floor, above, -a * np.log(x[0]) * above, -b * np.log(x[1]) * above)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant and X^−a D^−b."""
        product = decay(x[0], grid[:, :1]) * decay(x[1], grid[:, 1:])
        return stack(np.ones_like(product), product)

    @staticmethod
    def _above(params: Floats, x: Floats) -> Floats:
        return part(params, 1) * decay(x[0], part(params, 2)) * decay(x[1], part(params, 3))


LAW = Multiplicative()
