"""Pieces shared by several laws: the usual parameters, and a power of a size with its derivatives.

No law lives here.
"""

from __future__ import annotations

import numpy as np

from azeotrope.laws._law import Floats, Parameter, Prior

EXPONENTS = (0.03, 0.06, 0.1, 0.15, 0.2, 0.27, 0.35, 0.45, 0.6, 0.8, 1.1, 1.5, 2.2)
"""Start values of an exponent: close enough that the polish never has to cross a ridge."""

FEW_EXPONENTS = (0.01, 0.05, 0.15, 0.3, 0.5, 0.8, 1.3)
"""The same, where the grid runs over several parameters."""

FLOOR = Parameter("e", "error", 1e-4, 1.05, prior=Prior(0.6, 0.5), of_lowest_error=True)
"""The error that no amount of data removes; its prior is weak."""

CHANCE = Parameter("e0", "error", 0.0, np.inf, given=True)
"""Error of guessing, 1 − 1/classes."""


WEAK = Prior(0.45, 0.4)
"""On the exponent of the data."""


def exponent(name: str, *, prior: Prior | None = WEAK, grid: tuple[float, ...] = EXPONENTS) -> Parameter:
    """An exponent between 0.001 and 5: outside, a curve is flat or a step."""
    return Parameter(name, "1", 1e-3, 5.0, grid, prior)


def amplitude(name: str, *scale: tuple[str, str]) -> Parameter:
    """A positive amplitude that enters linearly."""
    return Parameter(name, "error", 1e-9, 1e9, scale=scale)


def decay(size: Floats, power: Floats) -> Floats:
    """Size ** −power, through logs; a size of zero gives infinity."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(-power * np.log(size)))


def stack(*rows: Floats) -> Floats:
    """Derivatives [..., n] of each parameter as one array [..., p, n]."""
    *before, n = np.broadcast_shapes(*(row.shape for row in rows))
    found = np.empty((*before, len(rows), n))
    for place, row in enumerate(rows):
        found[..., place, :] = row
    return found
