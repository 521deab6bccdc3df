"""An estimate with its interval: the one shape in which numbers leave the NumPy half.

It does not say how the interval was made; the record that carries it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from azeotrope.errors import InputError


@dataclass(frozen=True)
class Interval:
    """`value` with `low <= high` at nominal coverage `level`, all in the unit of the thing estimated."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise InputError("An interval's low end may not exceed its high end", found=f"{self.low} > {self.high}")

    def __contains__(self, x: float) -> bool:
        return self.low <= x <= self.high


def quantile_interval(value: float, draws: ArrayLike, level: float = 0.9) -> Interval:
    """The central interval of `draws` [n] around a `value` that was estimated apart; infinite draws are allowed.

    Quantiles are order statistics, not interpolated, so that a draw at infinity stays one.
    """
    tail = (1 - level) / 2
    low, high = np.quantile(np.asarray(draws, dtype=float), [tail, 1 - tail], method="nearest")
    return Interval(value, float(low), float(high), level)
