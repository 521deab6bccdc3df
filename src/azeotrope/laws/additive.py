"""Model size and data each leave their own term (Rosenfeld et al. 2020, arXiv 1909.12673; Hoffmann et al. 2022, arXiv
2203.15556).
"""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, part
from azeotrope.laws._terms import FLOOR, amplitude, decay, exponent, stack


class Additive(Law):
    """The form of the compute-optimal studies. Either term can be the bottleneck; they do not interact."""

    formula = "e + A N^-a + B D^-b"
    symbols = ("N", "D")
    needs_positive = ("N", "D")
    parameters = (
        FLOOR,
        amplitude("A", ("N", "a")),
        amplitude("B", ("D", "b")),
        exponent("a"),
        exponent("b"),
    )
    reference = "Hoffmann et al. 2022, arXiv 2203.15556, approach 3"
    right_when = "students of at least three sizes were trained on at least three amounts of data"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus one power a variable."""
        small, scarce = self._powers(params, x)
        return part(params, 0) + small + scarce

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, A, B, a, b."""
        floor, a, b = part(params, 0), part(params, 3), part(params, 4)
        small, scarce = self._powers(params, x)
        rows = stack(floor, small, scarce, -a * np.log(x[0]) * small, -b * np.log(x[1]) * scarce)
        return floor + small + scarce, rows

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant, N^−a and D^−b."""
        small, scarce = decay(x[0], grid[:, :1]), decay(x[1], grid[:, 1:])
        return stack(np.ones_like(small), small, scarce)

    @staticmethod
    def _powers(params: Floats, x: Floats) -> tuple[Floats, Floats]:
        small = part(params, 1) * decay(x[0], part(params, 3))
        return small, part(params, 2) * decay(x[1], part(params, 4))


LAW = Additive()
