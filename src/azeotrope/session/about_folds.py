"""What a person with few images should know of folds: how many images decide without them and with them."""

from __future__ import annotations

from collections.abc import Iterable

from azeotrope.data.task import Task
from azeotrope.session.opening import Opened

FEW = 500
"""Labelled images below which folds are worth their trainings: one split in five leaves fewer than 100 to decide."""
SUGGESTED = 5


def fold_hint(task: Task) -> Iterable[str]:
    """What folds would give a small set without a test split of its own; nothing of others."""
    splits = task.splits
    labelled = len(splits.train) + len(splits.val) + len(splits.test)
    if splits.fold is not None or labelled >= FEW or "test" in task.manifest.splits:
        return
    tested = labelled - (len(splits.val) if "val" in task.manifest.splits else 0)
    narrower = (len(splits.test) / tested) ** 0.5
    yield (
        f"Only {len(splits.test):,} of {labelled:,} labelled images are test images and decide. With compare --folds "
        f"{SUGGESTED} each of {tested:,} is a test image once: {SUGGESTED} times as many trainings, and what chance in "
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


def _range(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
