"""Error falls as a power of the data, for ever (Hestness et al. 2017, arXiv 1712.00409)."""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, part
from azeotrope.laws._terms import amplitude, decay, exponent, stack


class Power(Law):
    """M1: two parameters, so it fits three sizes; no floor, so it promises too much far beyond the data."""

    formula = "A D^-b"
    symbols = ("D",)
    parameters = (amplitude("A", ("D", "b")), exponent("b", prior=None))
    reference = "Hestness et al. 2017, arXiv 1712.00409"
    right_when = "sizes are few, or all lie where the curve is straight in log-log"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """A D^−b."""
        return part(params, 0) * decay(x[0], part(params, 1))

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by log A and log b."""
        error = self.predict(params, x)
        return error, stack(error, -part(params, 1) * np.log(x[0]) * error)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """One column, D^−b."""
        return decay(x[0], grid)[:, None, :]


LAW = Power()
