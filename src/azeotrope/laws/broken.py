"""A power law whose slope changes smoothly once (Caballero et al. 2022, arXiv 2210.14891, one break)."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from azeotrope.laws._law import Floats, Law, Parameter, Prior, part
from azeotrope.laws._terms import FLOOR, amplitude, stack


class Broken(Law):
    """One break, from exponent c0 to c0 + c1 around d, over a width f in log D. Six parameters: it wants eight sizes
    or more.
    """

    formula = "e + A D^-c0 (1 + (D/d)^(1/f))^(-c1 f)"
    symbols = ("D",)
    parameters = (
        FLOOR,
        amplitude("A", ("D", "c0")),
        Parameter("c0", "1", 1e-3, 5.0, (0.02, 0.1, 0.3, 0.6), Prior(0.2, 1.0)),
        Parameter("c1", "1", 1e-3, 5.0, (0.1, 0.3, 0.8), Prior(0.4, 0.7)),
        Parameter("d", "images", 1e-4, 1e4, (0.1, 0.4, 1.0, 2.5, 10.0), Prior(1.0, 1.5), scale=(("D", "1"),)),
        Parameter("f", "1", 0.05, 3.0, (0.2, 0.7), Prior(0.5, 0.7)),
    )
    reference = "Caballero et al. 2022, arXiv 2210.14891, equation 1 with n = 1"
    right_when = "the curve is straight, bends down, and is straight again, and sizes are many"
    starts = 4

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus broken power."""
        return part(params, 0) + self._above(params, np.log(x[0]))

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, A, c0, c1, d, f."""
        floor, _, c0, c1, d, f = (part(params, i) for i in range(6))
        size = np.log(x[0])
        above = self._above(params, size)
        past = (size - np.log(d)) / f
        bend, share = np.logaddexp(0, past), expit(past)
        rows = stack(
            floor,
            above,
            -c0 * size * above,
            -c1 * f * bend * above,
            c1 * share * above,
            -c1 * f * (bend - past * share) * above,
        )
        return floor + above, rows

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant and the broken power of unit amplitude."""
        ones = np.ones((len(grid), 1))
        above = self._above(np.concatenate([ones, ones, grid], axis=1), np.log(x[0]))
        return stack(np.ones_like(above), above)

    @staticmethod
    def _above(params: Floats, size: Floats) -> Floats:
        _, scale, c0, c1, d, f = (part(params, i) for i in range(6))
        return np.asarray(scale * np.exp(-c0 * size - c1 * f * np.logaddexp(0, (size - np.log(d)) / f)))


LAW = Broken()
