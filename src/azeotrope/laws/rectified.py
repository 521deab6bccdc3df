"""What a pretrained model has learned already hides the power law until the task brings more (Lin et al. 2024, arXiv
2402.02314).
"""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, Parameter, Prior, part
from azeotrope.laws._terms import FEW_EXPONENTS, FLOOR, amplitude, exponent, stack


class Rectified(Law):
    """Nearly flat while D^b is below d, which is what pretraining is worth; a power of D above it. It is the loss of
    fine-tuned models in the paper; it has no ceiling, so a log-loss may follow it too.
    """

    formula = "e + A / (d + D^b)"
    symbols = ("D",)
    needs_positive = ()
    parameters = (
        FLOOR,
        amplitude("A", ("D", "b")),
        Parameter(
            "d", "images^b", 1e-6, 1e6, (1e-3, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0), Prior(0.3, 2.0), scale=(("D", "b"),)
        ),
        exponent("b", grid=FEW_EXPONENTS),
    )
    reference = "Lin et al. 2024, arXiv 2402.02314, the rectified scaling law"
    right_when = "a pretrained model is fine-tuned: flat at small sizes, then a power above a floor; D = 0 is allowed"
    starts = 3

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus what is left to learn."""
        return part(params, 0) + self._above(params, x)

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, A, d, b."""
        floor, d, b = part(params, 0), part(params, 2), part(params, 3)
        above, grown = self._above(params, x), x[0] ** b
        size = np.log(np.where(x[0] > 0, x[0], 1.0))  # where D = 0 its power is 0 and so is this derivative
        share = above / (d + grown)
        return floor + above, stack(floor, above, -d * share, -b * size * grown * share)

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant and 1 / (d + D^b)."""
        column: Floats = 1 / (grid[:, :1] + x[0] ** grid[:, 1:])
        return stack(np.ones_like(column), column)

    @staticmethod
    def _above(params: Floats, x: Floats) -> Floats:
        return np.asarray(part(params, 1) / (part(params, 2) + x[0] ** part(params, 3)))


LAW = Rectified()
