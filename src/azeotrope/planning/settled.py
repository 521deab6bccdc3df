"""When a choice between two ways to train is settled: one rule for `auto` and `advise`, with the verdict of `compare`.

The laws must be sure, from seeds as many as a verdict asks for, and the verdict of the seeds alone may not be the
opposite. It is the one that `compare` gives of these runs: the variance over seeds is moderated by all pairs of arms at
all sizes, so that two seeds that happen to tie make nothing certain, and test images count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from azeotrope.tables.frame import RunFrame
from azeotrope.verdicts.differences import Differences, of_rows
from azeotrope.verdicts.moderated import Common
from azeotrope.verdicts.page import common_of
from azeotrope.verdicts.verdict import FEWEST_SEEDS, LEVEL, Verdict, judge

SURE = LEVEL
"""Settled: with this probability no rival's error is lower than the leader's by the practical difference or more.

Asking that the leader be *lower* with this probability would spend a whole budget on arms that differ by less than
anybody cares about."""

AXIS = "train_images"


@dataclass(frozen=True)
class Pairs:
    """Seeds that two curves share at `size`, that nearest the user's; None and 0 where they share no size.

    `verdict` is that on the first against the second there; None where seeds are not known: `seeds` are then runs of
    each.
    """

    first: str
    second: str
    size: float | None
    seeds: int
    verdict: Verdict | None

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
            return f"the verdict of {self.seeds} paired seeds {at} is that {self.first} DOES NOT BEAT {self.second}"
        shared = f"share {self.seeds} paired seed{'' if self.seeds == 1 else 's'} {at}"
        return f"{self.first} and {self.second} {shared}, and a verdict needs {FEWEST_SEEDS}"

    def against(self, practical: float) -> bool:
        """Whether the seeds alone say that the first is worse, by more than the practical difference."""
        found = None if self.verdict is None else self.verdict.difference
        return found is not None and not self.lacking and found.low > practical


def spread_of(curves: Sequence[RunFrame]) -> Common | None:
    """What all pairs of these curves, at all sizes, say together of how far a difference varies over seeds."""
    by_size: dict[float, dict[str, dict[int, float]]] = {}
    for place, curve in enumerate(curves):
        for size, seed, error in curve.table.select(AXIS, "seed", "error").drop_nulls().iter_rows():
            by_size.setdefault(size, {}).setdefault(str(place), {})[int(seed)] = error
    return common_of([_difference(arms, a, b) for a, b in combinations(arms, 2)] for arms in by_size.values())


def _difference(arms: dict[str, dict[int, float]], a: str, b: str) -> Differences:
    """Of two arms at one size, from their errors by seed."""
    seeds = tuple(sorted(arms[a].keys() & arms[b].keys()))
    both = np.array([[arms[arm][seed] for seed in seeds] for arm in (a, b)])
    error = float(both.mean()) if seeds else 0.0
    return Differences(a, b, seeds, tuple(map(float, both[0] - both[1])), error, None)


def pairs(first: RunFrame, second: RunFrame, at: float, spread: Common | None = None) -> Pairs:
    """What the runs themselves say of two curves near `at` images, without a law; `spread` is that of all curves."""
    key = [AXIS, "replicate"]
    both = first.table.select(*key, "error").join(second.table.select(*key, pl.col("error").alias("other")), on=key)
    names = first.groups[0], second.groups[0]
    if both.is_empty():
        return Pairs(*names, None, 0, None)
    sizes = both[AXIS].unique().sort().to_numpy()
    nearest = float(sizes[np.abs(np.log(sizes / at)).argmin()])
    here = both.filter(pl.col(AXIS) == nearest)
    if not (first.paired and second.paired):  # rows are numbered by error, and their differences say nothing
        return Pairs(*names, nearest, here.height, None)
    left, right = (one.table.filter(pl.col(AXIS) == nearest) for one in (first, second))
    return Pairs(*names, nearest, here.height, judge(of_rows(left, right, *names), spread))


def doubtful(found: Sequence[Pairs], practical: float) -> Pairs | None:
    """The worst of these pairs of one leader: too few seeds, or seeds against it; None where all bear it out."""
    doubts = [pair for pair in found if pair.lacking or pair.against(practical)]
    return max(doubts, key=lambda pair: pair.lacking, default=None)
