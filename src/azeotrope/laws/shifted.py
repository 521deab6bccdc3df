"""A power law that levels off as if a constant were added to 1/D (Bansal et al. 2022, arXiv 2202.01994)."""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, Parameter, part
from azeotrope.laws._terms import FEW_EXPONENTS, amplitude, exponent, stack


class Shifted(Law):
    """M3. The floor A g^b is approached faster than in `power_floor`; g is one over the size where the curve
    bends.
    """

    formula = "A (1/D + g)^b"
    symbols = ("D",)
    parameters = (
        amplitude("A", ("D", "b")),
        Parameter("g", "1/images", 1e-6, 1e2, (1e-5, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0), scale=(("D", "-1"),)),
        exponent("b", grid=FEW_EXPONENTS),
    )
    reference = "Bansal et al. 2022, arXiv 2202.01994"
    right_when = "noise in the data limits the error, not the model"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """A (1/D + g)^b."""
        return np.asarray(part(params, 0) * (1 / x[0] + part(params, 1)) ** part(params, 2))

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by log A, log g, log b."""
        g, b = part(params, 1), part(params, 2)
        base = 1 / x[0] + g
        error = part(params, 0) * base**b
        return error, stack(error, b * g / base * error, b * np.log(base) * error)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """One column, (1/D + g)^b."""
        column: Floats = (1 / x[0] + grid[:, :1]) ** grid[:, 1:]
        return column[:, None, :]


LAW = Shifted()
