"""Arms that do not use an axis: without pre-training an arm has one error, whatever the number of upstream images.

Along `pretrain_images` such an arm is a level line. Its runs count at every size of the other arm, but they are the
same runs: their noise moves the whole line, and is estimated once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.tables.frame import RunFrame

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class LevelLine:
    """R draws of a level arm: `error` [R]. It stands where a curve has its `Fits`."""

    error: Floats

    def predict(self, sizes: Floats) -> Floats:
        """The same error at all sizes, [R, m]."""
        return np.repeat(self.error[:, None], len(sizes), axis=1)


def is_level(frame: RunFrame, axis: str) -> bool:
    """Whether every run of the group uses none of this axis."""
    return axis in frame.table.columns and bool((frame.table[axis] == 0).fill_null(value=False).all())


def at_all(table: pl.DataFrame, axis: str, sizes: list[float]) -> pl.DataFrame:
    """The runs of a level arm repeated at each of `sizes`."""
    return pl.concat([table.with_columns(pl.lit(size).alias(axis)) for size in sizes])
