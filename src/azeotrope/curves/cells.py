"""The data of one curve: one cell a configuration, its runs averaged in log error, with the noise of that average.

It holds numbers that are already checked; `tables/frame.py` reads and checks, `noise.py` estimates the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.curves.noise import of_test_set, pooled
from azeotrope.laws._law import Floats
from azeotrope.tables.frame import RunFrame


@dataclass(frozen=True)
class Cells:
    """n cells. `x` [axes, n] in the user's units, `error` [n] geometric mean, `runs` [n], `noise` [n] sd of its log
    (0: not known).
    """

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


def cells_of(frame: RunFrame, axes: Sequence[str]) -> Cells:
    """The cells of one group along `axes` (data last). Rows with no pretraining are kept; a law that cannot take them
    refuses.
    """
    log_error = pl.col("error").log()
    table = (
        frame.table.group_by(*axes)
        .agg(
            log_error.mean().alias("mean"),
            log_error.var().fill_null(0.0).alias("variance"),
            pl.len().alias("runs"),
            pl.col("test_images").mean(),
        )
        .sort(*reversed(axes))
    )
    error, runs = np.exp(table["mean"].to_numpy()), table["runs"].to_numpy().astype(np.int64)
    repeated = pooled(error, table["variance"].to_numpy(), (runs - 1).astype(float))
    variance = np.zeros(len(runs)) if repeated is None else repeated.of_run(error) ** 2 / runs
    if frame.bounded and table["test_images"].null_count() == 0:
        variance = variance + of_test_set(error, table["test_images"].to_numpy()) ** 2
    return Cells(table.select(axes).to_numpy().T.astype(float), error, runs, np.sqrt(variance), frame.chance_error)
