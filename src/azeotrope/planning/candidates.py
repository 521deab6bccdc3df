"""Runs that a sweep could make, in groups that are made together: all arms of one student at one size and seed.

Grouping is what keeps seeds paired. It chooses nothing but the pilot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from azeotrope.record.run import RunRecord
from azeotrope.tables.grouping import contender

PILOT_SEEDS = 2


@dataclass(frozen=True)
class Candidate:
    """A run that could be made. `price` is its forecast, in the unit of the budget (seconds, runs, money)."""

    student: str
    arm: str
    train_images: int
    seed: int
    price: float
    pretrain_images: int = 0

    @property
    def name(self) -> str:
        """The contender whose curve this run belongs to."""
        return contender(self.arm, self.pretrain_images)

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What a record of this run has in common with it."""
        return self.student, self.name, self.train_images, self.seed


Group: TypeAlias = tuple[Candidate, ...]


def unmade(candidates: Sequence[Candidate], records: Iterable[RunRecord]) -> list[Candidate]:
    """The candidates that have no record, whether done or failed."""
    made = {(run.student.name, contender(run.arm, run.pretrain_images), run.train_images, run.seed) for run in records}
    return [candidate for candidate in candidates if candidate.key not in made]


def groups(candidates: Iterable[Candidate]) -> list[Group]:
    """The candidates of one student by seed, then size: what is finished early is a whole seed."""
    found: dict[tuple[int, int], list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault((candidate.seed, candidate.train_images), []).append(candidate)
    return [tuple(sorted(found[place], key=lambda run: run.key)) for place in sorted(found)]


def price(group: Group) -> float:
    """Forecast price of all its runs."""
    return sum(run.price for run in group)


def next_seeds(candidates: Sequence[Candidate], names: Collection[str]) -> dict[int, Group]:
    """By size, the group with the lowest seed that these contenders still lack there."""
    found = groups(run for run in candidates if run.name in names)
    return {group[0].train_images: group for group in reversed(found)}


def pilot(candidates: Sequence[Candidate]) -> set[tuple[str, str, int, int]]:
    """Keys of one student's pilot: every arm at the lowest, the middle (in logs) and the highest size, two seeds."""
    sizes = np.unique([run.train_images for run in candidates])
    middle = np.abs(np.log(sizes) - (np.log(sizes[0]) + np.log(sizes[-1])) / 2).argmin()
    chosen = {int(sizes[place]) for place in (0, middle, -1)}
    seeds = sorted({run.seed for run in candidates})[:PILOT_SEEDS]
    return {run.key for run in candidates if run.train_images in chosen and run.seed in seeds}
