"""How every command opens images: read them, say what is not plain, and with `strict` refuse what was lost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from azeotrope.data.auditing.told import lost_words, of_all_folds, passed_words
from azeotrope.data.packing.early_packs import Foreseen
from azeotrope.data.task import Task, load_folds, load_task
from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import HELD_OUT
from azeotrope.session.progress import Progress, scanning


def read_task(
    data: str | Path,
    progress: Progress,
    labels: LabelSpec = ONE_CLASS,
    cache: Path | None = None,
    *,
    held_out: float = HELD_OUT,
    strict: bool = False,
    foreseen: Foreseen | None = None,
) -> Task:
    """The task that `data` names; each of its words is shown as a note that stays.

    What is `foreseen` to be packed is packed on the way. With `strict` every image is read again, also where its file
    seems unchanged. Raises InputError where it makes no task, and with `strict` where an image is unreadable or a file
    that may be a picture was passed over.
    """
    task = load_task(os.fspath(data), scanning(progress), labels, held_out, cache, anew=strict, foreseen=foreseen)
    _say(task.words, task, progress, strict=strict)
    return task


def read_folds(
    data: str | Path,
    folds: int,
    progress: Progress,
    labels: LabelSpec = ONE_CLASS,
    cache: Path | None = None,
    *,
    strict: bool = False,
    told: int | None = None,
    foreseen: Foreseen | None = None,
) -> tuple[Task, ...]:
    """The same as `folds` tasks, of which another fold is the test set; what differs is said of each, or of fold `told`
    alone.
    """
    found = load_folds(os.fspath(data), folds, scanning(progress), labels, cache, anew=strict, foreseen=foreseen)
    words = of_all_folds([task.words for task in found]) if told is None else found[told - 1].words
    _say(words, found[0], progress, strict=strict)
    return found


def _say(words: Iterable[str], task: Task, progress: Progress, *, strict: bool) -> None:
    lost = (*lost_words(task.manifest), *passed_words(task.source.passed))
    if strict and lost:
        raise InputError(
            "Every image must be readable, and no picture passed over, when --strict is given",
            found=" ".join(lost),
            next_step="repair or remove these files (`azeotrope check` counts them by class), or leave --strict out",
        )
    for word in words:
        progress.note(word)
