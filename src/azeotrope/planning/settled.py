"""When a choice between two ways to train is settled: one rule for `auto` and `advise`, with the numbers of a verdict.

The laws must be sure, from seeds as many as a verdict asks for, and the seeds alone may not say the opposite. A law
that is sure after two seeds knows their spread from one difference a size: two that happen to tie made it certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from azeotrope.record.interval import Interval
from azeotrope.tables.frame import RunFrame
from azeotrope.verdicts.paired import t_interval
from azeotrope.verdicts.verdict import FEWEST_SEEDS, LEVEL

SURE = LEVEL
"""Settled: with this probability no rival's error is lower than the leader's by the practical difference or more.

Asking that the leader be *lower* with this probability would spend a whole budget on arms that differ by less than
anybody cares about."""

AXIS = "train_images"


@dataclass(frozen=True)
class Pairs:
    """Seeds that two curves share at `size`, that nearest the user's; None and 0 where they share no size.

    `difference` is the mean error of the first minus that of the second, as its t interval; None below two seeds, and
    where seeds are not known: `seeds` are then runs of each.
    """

    first: str
    second: str
    size: float | None
    seeds: int
    difference: Interval | None

    @property
    def lacking(self) -> int:
        """Seeds that are missing before anything is settled."""
        return max(0, FEWEST_SEEDS - self.seeds)

    @property
    def said(self) -> str:
        """Why they do not bear out that the first is as good as the second."""
        if self.size is None:
            return f"{self.first} and {self.second} share no size"
        at = f"at {self.size:,.0f} images"
        if not self.lacking:
            return f"in the {self.seeds} paired seeds {at} {self.second} has the lower error"
        shared = f"share {self.seeds} paired seed{'' if self.seeds == 1 else 's'} {at}"
        return f"{self.first} and {self.second} {shared}, and a verdict needs {FEWEST_SEEDS}"

    def against(self, practical: float) -> bool:
        """Whether the seeds alone say that the first is worse, by more than the practical difference."""
        return self.difference is not None and not self.lacking and self.difference.low > practical


def pairs(first: RunFrame, second: RunFrame, at: float) -> Pairs:
    """What the runs themselves say of two curves near `at` images, without a law."""
    key = [AXIS, "replicate"]
    both = first.table.select(*key, "error").join(second.table.select(*key, pl.col("error").alias("other")), on=key)
    names = first.groups[0], second.groups[0]
    if both.is_empty():
        return Pairs(*names, None, 0, None)
    sizes = both[AXIS].unique().sort().to_numpy()
    nearest = float(sizes[np.abs(np.log(sizes / at)).argmin()])
    here = both.filter(pl.col(AXIS) == nearest)
    paired = first.paired and second.paired  # else rows are numbered by error, and their differences say nothing
    difference = t_interval((here["error"] - here["other"]).to_numpy(), LEVEL) if paired else None
    return Pairs(*names, nearest, here.height, difference)


def doubtful(found: Sequence[Pairs], practical: float) -> Pairs | None:
    """The worst of these pairs of one leader: too few seeds, or seeds against it; None where all bear it out."""
    doubts = [pair for pair in found if pair.lacking or pair.against(practical)]
    return max(doubts, key=lambda pair: pair.lacking, default=None)
