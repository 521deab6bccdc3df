"""A power law above a floor: label noise, or a student too small, leaves an error that data do not remove."""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, part
from azeotrope.laws._terms import FLOOR, amplitude, decay, exponent, stack


class PowerFloor(Law):
    """M2 of Alabdulmohsin et al. 2022. The arms of a distillation study with one fixed teacher follow it."""

    formula = "e + A D^-b"
    symbols = ("D",)
    parameters = (FLOOR, amplitude("A", ("D", "b")), exponent("b"))
    reference = "M2 in Alabdulmohsin et al. 2022, arXiv 2209.06640"
    right_when = "the curve bends upward in log-log at large sizes and is not near chance at small ones"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus power."""
        return part(params, 0) + part(params, 1) * decay(x[0], part(params, 2))

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by log e, log A, log b."""
        floor, b = part(params, 0), part(params, 2)
        above = part(params, 1) * decay(x[0], b)
        return floor + above, stack(floor, above, -b * np.log(x[0]) * above)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant and D^−b."""
        power = decay(x[0], grid)
        return stack(np.ones_like(power), power)


LAW = PowerFloor()
