"""The data of one curve: one cell a configuration, its runs averaged in log error, with the noise of that average.

It holds numbers that are already checked; `record/frame.py` reads and checks, `noise.py` estimates the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from azeotrope.laws._law import Floats


@dataclass(frozen=True)
class Cells:
    """n cells. `x` [axes, n] in the user's units, `error` [n] geometric mean, `runs` [n], `noise` [n] sd of its log (0: not known)."""

    x: Floats
    error: Floats
    runs: NDArray[np.int64]
    noise: Floats
    chance: float | None = None

    @property
    def sizes(self) -> Floats:
        """Distinct sizes along the last axis, ascending: the one that predictions reach out along."""
        return np.unique(self.x[-1])

    def where(self, rows: NDArray[np.bool_]) -> Cells:
        """Some of the cells."""
        return Cells(self.x[:, rows], self.error[rows], self.runs[rows], self.noise[rows], self.chance)


def plain(x: Floats, error: Floats, chance: float | None = None) -> Cells:
    """One run a cell, noise unknown: `x` [n] or [axes, n]."""
    return Cells(np.atleast_2d(x), error, np.ones(len(error), dtype=np.int64), np.zeros(len(error)), chance)
