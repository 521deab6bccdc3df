"""Pretraining shrinks the amplitude of the data term down to a gap that it cannot close (Mikami et al. 2021, Barnett
2024).
"""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Law, part
from azeotrope.laws._terms import FEW_EXPONENTS, FLOOR, amplitude, decay, exponent, stack


class TransferGap(Law):
    """G D^−b is what remains with endless pretraining: how far the upstream task is from ours."""

    formula = "(A P^-a + G) D^-b + e"
    symbols = ("P", "D")
    needs_positive = ("P", "D")
    parameters = (
        FLOOR,
        amplitude("A", ("P", "a"), ("D", "b")),
        amplitude("G", ("D", "b")),
        exponent("a", prior=None, grid=FEW_EXPONENTS),
        exponent("b"),
    )
    reference = "Mikami et al. 2021, arXiv 2108.11018; Barnett 2024, arXiv 2408.16947"
    right_when = "more pretraining stops helping although data still do"

    def predict(self, params: Floats, x: Floats) -> Floats:
        """Floor plus the closing and the lasting part of the gap."""
        closing, lasting = self._gaps(params, x)
        return part(params, 0) + closing + lasting

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by the logs of e, A, G, a, b."""
        floor, a, b = part(params, 0), part(params, 3), part(params, 4)
        closing, lasting = self._gaps(params, x)
        above = closing + lasting
        rows = stack(floor, closing, lasting, -a * np.log(x[0]) * closing, -b * np.log(x[1]) * above)
        return floor + above, rows

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """A constant, P^−a D^−b and D^−b."""
        lasting = decay(x[1], grid[:, 1:])
        return stack(np.ones_like(lasting), lasting * decay(x[0], grid[:, :1]), lasting)

    @staticmethod
    def _gaps(params: Floats, x: Floats) -> tuple[Floats, Floats]:
        data = decay(x[1], part(params, 4))
        return part(params, 1) * decay(x[0], part(params, 3)) * data, part(params, 2) * data


LAW = TransferGap()
