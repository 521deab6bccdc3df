"""Test images that the arms call differently, for the report: pictures say more than a percentage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from azeotrope.data.task import Task
from azeotrope.record.storage.answers import answers_of
from azeotrope.reporting.document import Disagreement
from azeotrope.reporting.numbers import Comparison
from azeotrope.session.findings.pictures import data_uri, tested_rows

SHOWN = 12
NO_CLASS = "none of the classes"


def disagreements(tasks: Sequence[Task], comparison: Comparison, out: Path) -> tuple[Disagreement, ...]:
    """Up to `SHOWN` test images, spread over the test split, that some arm's first run has right and another's has not.

    Uses the stored predictions: the test split is not evaluated again. A predicted number is never simply right, so
    there are none of a task of that kind.
    """
    first = {arm.name: next(iter(comparison.runs_of(arm).values())) for arm in comparison.arms if arm.run_ids}
    found = {name: answers_of(out, *run_ids) for name, run_ids in first.items()}
    stored = {name: answers.said for name, answers in found.items() if answers is not None}
    if len(stored) < 2:
        return ()
    task, rows = tasks[0], tested_rows(tasks)
    labels = np.array(task.kind.texts(task.labels[rows], task.classes))
    table = np.array([task.kind.texts(predictions, task.classes) for predictions in stored.values()])
    right = table == labels
    differing = np.flatnonzero(right.any(axis=0) & ~right.all(axis=0))
    chosen = differing[np.linspace(0, len(differing) - 1, min(SHOWN, len(differing))).astype(int)]
    return tuple(
        Disagreement(
            image=data_uri(task, int(rows[place])),
            label=labels[place] or NO_CLASS,
            predictions={name: said[place] or NO_CLASS for name, said in zip(stored, table, strict=True)},
        )
        for place in chosen
    )
