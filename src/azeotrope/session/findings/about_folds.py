"""What a person with few images should know of folds: how many images decide without them and with them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import special

from azeotrope.data.division.groups import units_showing
from azeotrope.data.task import Task
from azeotrope.session.opening import Opened
from azeotrope.verdicts.folded import WIDER

FEW = 500
"""Labelled images below which folds are worth their trainings: one split in five leaves fewer than 100 to decide."""
SUGGESTED = 5
FEWEST = 3
"""Folds below which they are not proposed: two train on less than half of the images each."""


def fold_hint(task: Task) -> Iterable[str]:
    """What folds would give a small set without a test split of its own; nothing of others, nor where a class stands in
    too few images or groups.
    """
    splits = task.splits
    labelled = len(splits.train) + len(splits.val) + len(splits.test)
    cut = splits.fold is not None or splits.held_out is not None
    if cut or labelled >= FEW or "test" in task.manifest.splits:
        return
    tested = labelled - (len(splits.val) if "val" in task.manifest.splits else 0)
    folds = min(SUGGESTED, _fewest_units(task))
    if folds < FEWEST:
        return
    student, normal = special.stdtrit(2 * (folds - 1), 0.975), special.ndtri(0.975)
    narrower = float((len(splits.test) / tested) ** 0.5 * WIDER * student / normal)
    yield (
        f"Only {len(splits.test):,} of {labelled:,} labelled images are test images and decide. With compare --folds "
        f"{folds} each of {tested:,} is a test image once: {folds} times as many trainings, and what chance in "
        f"the choice of test images adds to an interval falls to about {100 * narrower:.0f} %."
    )


def about_folds(opened: Opened) -> tuple[str, ...]:
    """How the images were cut, where they were; else what folds would give."""
    if len(opened.tasks) == 1:
        return tuple(fold_hint(opened.task))
    tested = [len(task.splits.test) for task in opened.tasks]
    others = [(len(task.splits.train), len(task.splits.val)) for task in opened.tasks]
    train, validate = (_range([pair[side] for pair in others]) for side in (0, 1))
    return (
        f"{sum(tested):,} labelled images in {len(tested)} folds: each is a test image once. A fold tests "
        f"{_range(tested)}, and leaves {train} to train on and {validate} to validate on.",
    )


def _fewest_units(task: Task) -> int:
    """Images, or groups, of the class that stands in fewest."""
    splits, kind = task.splits, task.kind
    rows = np.concatenate([splits.train, splits.test, *([] if "val" in task.manifest.splits else [splits.val])])
    units = rows if task.units is None else task.units[rows]
    counts = units_showing(units, kind.strata_of(task.labels[rows]), kind.needed_strata(len(task.classes)))
    return int(min([len(np.unique(units)), *counts.tolist()]))


def _range(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
