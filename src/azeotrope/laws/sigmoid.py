"""Error slides from chance to a floor along a lopsided sigmoid in log D (Alabdulmohsin et al. 2022, arXiv 2209.06640,
M4).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from azeotrope.laws._law import Floats, Law, Parameter, Prior, part
from azeotrope.laws._terms import CHANCE, FEW_EXPONENTS, FLOOR, amplitude, decay, exponent, stack

_STEPS = 60
"""Never reached: Newton on a function whose slope lies between 1 and a needs 3 to 6."""
_CLOSE = 3e-7
"""A step s leaves an error of at most |a - 1| / (8 min(1, a)) s², that is 2.4 s² for every a allowed: 2e-13 here."""


class Sigmoid(Law):
    """(E − e)/(e0 − E)^a = A D^−b, solved for E; the most flexible form that stays within [e, e0]."""

    formula = "(E - e)/(e0 - E)^a = A D^-b, solved for E"
    symbols = ("D",)
    parameters = (
        FLOOR,
        amplitude("A", ("D", "b")),
        exponent("b", prior=Prior(0.6, 0.4), grid=FEW_EXPONENTS),
        Parameter("a", "1", 0.05, 20.0, (0.3, 0.8, 2.0), Prior(0.8, 0.5)),
        CHANCE,
    )
    reference = "M4 in Alabdulmohsin et al. 2022, arXiv 2209.06640"
    right_when = "sizes reach from near chance to near the floor"
    starts = 3

    def predict(self, params: Floats, x: Floats) -> Floats:
        """The root of the implicit equation."""
        floor, chance = part(params, 0), part(params, 4)
        return floor + (chance - floor) * expit(self._logit(params, x))

    def gradient(self, params: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Value, and derivatives by log e, log A, log b, log a, log e0, by the implicit function theorem."""
        floor, b, a, chance = (part(params, i) for i in (0, 2, 3, 4))
        u = self._logit(params, x)
        share, span = expit(u), chance - floor
        moved = span * share * (1 - share) / _slope(share, a)  # dE by a change of log A
        by_a = a * (np.log(span) - np.logaddexp(0, u)) * moved
        of_span = (a - 1) / span * moved
        rows = stack(floor * (1 - share - of_span), moved, -b * np.log(x[0]) * moved, by_a, chance * (share + of_span))
        return floor + span * share, rows

    def columns(self, grid: Floats, x: Floats, error: Floats) -> Floats:
        """From E = e + A D^−b (e0 − E)^a with the observed E on the right: linear in e and A."""
        b, a, chance = grid[:, :1], grid[:, 1:2], grid[:, 2:]
        power = decay(x[0], b) * np.maximum(chance - error, 1e-3 * chance) ** a
        return stack(np.ones_like(power), power)

    @staticmethod
    def _logit(params: Floats, x: Floats) -> Floats:
        """U = logit((E − e)/(e0 − e)), which solves −softplus(−u) + a softplus(u) = log A − b log D + (a − 1) log(e0
        − e).
        """
        floor, scale, b, a, chance = (part(params, i) for i in range(5))
        target = np.log(scale) - b * np.log(x[0]) + (a - 1) * np.log(chance - floor)
        u: Floats = np.where(target < 0, target, target / a)
        for _ in range(_STEPS):
            tail = np.exp(-np.abs(u))
            softplus = np.maximum(u, 0) + np.log1p(tail)  # that of -u is softplus - u
            share = np.where(u < 0, tail, 1.0) / (1 + tail)
            step = ((a - 1) * softplus + u - target) / _slope(share, a)
            u = u - step
            if np.abs(step).max(initial=0) < _CLOSE:
                break
        return u


def _slope(share: Floats, a: Floats) -> Floats:
    return 1 - share + a * share


LAW = Sigmoid()
