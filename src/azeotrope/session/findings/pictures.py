"""Test images as pictures for the report: pictures say more than a percentage.

They come from stored answers: the test split is not evaluated again.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from azeotrope.data.decoding.decode import decode
from azeotrope.data.listing.thumbnail import as_picture
from azeotrope.data.task import Task
from azeotrope.diagnosis.diagnose import certain_mistakes
from azeotrope.reporting.document import Mistake
from azeotrope.reporting.numbers import Comparison

THUMBNAIL = 96  # pixels of the longer side


def data_uri(task: Task, row: int) -> str:
    """The image as a small PNG inside a text."""
    pixels = as_picture(decode(task.source.read(row), task.manifest.reading).pixels)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def tested_rows(tasks: Sequence[Task]) -> NDArray[np.int64]:
    """The test images of the folds, or of the one task, in the order of all answers."""
    return np.concatenate([task.splits.test for task in tasks])


def mistakes(tasks: Sequence[Task], comparison: Comparison, out: Path) -> tuple[Mistake, ...]:
    """The test images that all runs of the comparison are surest about and wrong on; none of kinds but single."""
    if comparison.kind != "single":
        return ()
    task, rows = tasks[0], tested_rows(tasks)
    runs = [run_ids for arm in comparison.arms for run_ids in comparison.runs_of(arm).values()]
    return tuple(
        Mistake(
            name=task.manifest.keys[rows[one.place]],
            image=data_uri(task, int(rows[one.place])),
            label=task.classes[one.label],
            answer=task.classes[one.answer],
            probability=one.probability,
        )
        for one in certain_mistakes(out, runs, len(task.classes))
    )
