"""Model size leaves a term of its own, and pretraining is worth so many task images: `additive` and `effective_data` in
one law of all three axes.
"""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, Parameter, Prior, part
from azeotrope.laws._terms import FEW_EXPONENTS, FLOOR, amplitude, decay, exponent, stack


class JointEffectiveData(Law):
    """Either the student is too small or the data are too few; k P^b images count as task images. P = 0 is allowed."""

    formula = "e + A N^-a + B (D + k P^b)^-c"
    symbols = ("N", "P", "D")
    needs_positive = ("N", "D")
    parameters = (
        FLOOR,
        amplitude("A", ("N", "a")),
        amplitude("B", ("D", "c")),
        exponent("a", grid=FEW_EXPONENTS),
        Parameter(
            "k", "images", 1e-6, 1e6, (0.01, 0.1, 0.5, 2.0, 10.0), Prior(0.3, 2.0), scale=(("D", "1"), ("P", "-b"))
        ),
        exponent("b", prior=None, grid=FEW_EXPONENTS),
        exponent("c", grid=FEW_EXPONENTS),
    )
    reference = (
        "Hoffmann et al. 2022, arXiv 2203.15556, with the effective data of Hernandez et al. 2021, arXiv 2102.01293"
    )
    right_when = (
        "students of several sizes, pretraining that matters with few task images and not with many; P = 0 is allowed"
    )
    starts = 3

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor, the term of the model, the term of the effective data."""
        small, scarce, _ = self._terms(params, x)
        return part(params, 0) + small + scarce

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, A, B, a, k, b, c."""
        floor, a, b, c = (part(params, i) for i in (0, 3, 5, 6))
        small, scarce, worth = self._terms(params, x)
        effective = x[2] + worth
        by_worth = -c * worth / effective * scarce
        upstream = np.log(np.where(x[1] > 0, x[1], 1.0))  # where P = 0 the worth is 0 and so is this derivative
        rows = stack(
            floor,
            small,
            scarce,
            -a * np.log(x[0]) * small,
            by_worth,
            b * upstream * by_worth,
            -c * np.log(effective) * scarce,
        )
        return floor + small + scarce, rows

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant, N^−a and the power of the effective data."""
        a, k, b, c = (grid[:, i : i + 1] for i in range(4))
        scarce: Floats = (x[2] + k * x[1] ** b) ** -c
        return stack(np.ones_like(scarce), decay(x[0], a), scarce)

    @staticmethod
    def _terms(params: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
        """The term of the model, that of the data, and what pretraining is worth in images."""
        worth = part(params, 4) * x[1] ** part(params, 5)
        small = part(params, 1) * decay(x[0], part(params, 3))
        return small, np.asarray(part(params, 2) * (x[2] + worth) ** -part(params, 6)), np.asarray(worth)


LAW = JointEffectiveData()
