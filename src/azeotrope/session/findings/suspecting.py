"""Labels that the teacher contradicts: out-of-fold answers on the images of one run, and the file that lists them.

Test images are not looked at: one function reads them, once a run, and the report of `compare` shows their mistakes.
"""

from __future__ import annotations

import csv
import io
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.diagnosis.suspects import suspects
from azeotrope.errors import InputError
from azeotrope.plan import TeacherSpec
from azeotrope.record.storage.store import cannot_write, expanded, write_atomically
from azeotrope.session.findings.cautions import counts_for_folds
from azeotrope.session.opening import Opened
from azeotrope.session.progress import Progress
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.taught import known
from azeotrope.train.loop import Rows


@dataclass(frozen=True)
class SuspectLabel:
    """One image: its file, split and label, the class that it likely shows, the probabilities of both as the teacher
    says them without having seen the label, and their difference.
    """

    file: str
    split: str
    given: str
    likely: str
    likely_probability: float
    given_probability: float
    margin: float


@dataclass(frozen=True)
class SuspectLabels:
    """The suspect ones among `images` labels that were judged, the surest first, and where they are listed. `unjudged`
    are of classes with too few images for that.
    """

    teacher: str
    images: int
    unjudged: int
    file: str
    suspects: tuple[SuspectLabel, ...]


def new_list(file: str | Path, plan: SweepPlan) -> Path:
    """Where the list will be. Raises InputError where it cannot be made of this plan, or would replace a file."""
    if "://" in str(file):
        raise InputError(
            "The list of suspect labels is written to a folder of this machine",
            found=str(file),
            allowed="a file name that ends in .csv",
            next_step="write it here, and copy it there",
        )
    path = Path(expanded(str(file)))
    if not plan.teachers:
        raise InputError(
            "--suspect-labels lists the labels that a teacher contradicts",
            found="no teacher",
            next_step="name one with --teacher, or leave --suspect-labels out",
        )
    if plan.labels.kind != "single":
        raise InputError(
            "Suspect labels are those of one class an image",
            found=f"a task of the kind {plan.labels.kind}",
            allowed="the kind single; the report of compare shows the mistakes and residuals of other kinds",
            next_step="leave --suspect-labels out",
        )
    if any(spec.head != "zero_shot" and spec.folds == 1 for spec in plan.teachers):
        raise InputError(
            "A label is judged by a head that has not seen it",
            found="a teacher that is fitted once, on all labels",
            allowed="--teacher-folds 2 or more",
            next_step="add --teacher-folds 5",
        )
    if any(spec.head == "finetune" for spec in plan.teachers):
        raise InputError(
            "A label is judged by a head that has not seen it",
            found="a tuned teacher, which chooses its epoch by the labels of validation",
            allowed="--teacher-head linear or zero_shot",
            next_step="leave --teacher-head out",
        )
    if path.suffix.lower() != ".csv":
        raise InputError(
            "The list of suspect labels is a CSV file", found=str(file), next_step="name one that ends in .csv"
        )
    if path.exists():
        raise InputError(
            "The list of suspect labels must be a new file",
            found=f"{path}, which exists",
            allowed="a name that is free: a list that you may have worked on is not replaced",
            next_step="name another with --suspect-labels, or remove that file",
        )
    return path


def suspect_labels(opened: Opened, path: Path, progress: Progress) -> SuspectLabels:
    """Judge the training and validation images of the plan's largest size and first seed, and write the list.

    Raises RunFailed for a teacher that may not teach, InputError where every class has fewer images than folds,
    StoreError when the file cannot be written.
    """
    plan, resources, task = opened.comparison, opened.resources, opened.task
    assert plan.teacher is not None  # `new_list` refuses it
    size, seed = plan.train_images[-1], plan.seeds[0]
    recipe, rows = plan.recipes[size], resources.rows(task.fingerprint, size, seed)
    every = np.concatenate([rows.train, rows.val])
    judged = _judged(opened, rows, plan.teacher)
    _embed(opened, plan.teacher, every, progress)
    taught = resources.taught(plan.teacher, task.fingerprint, size, seed, recipe.policy, recipe.views)
    features, _ = known(taught.targets.cache, every, task, resources.scale(task.fingerprint, size, seed))
    said = task.kind.probabilities(taught.targets.head.logits(features, taught.targets.folds_of(every)))
    assert said is not None  # of one class an image
    labels = task.labels[every]
    found = suspects(said, labels, judged)
    listed = tuple(
        SuspectLabel(
            task.manifest.keys[every[place]],
            "train" if place < len(rows.train) else "val",
            task.classes[labels[place]],
            task.classes[likely],
            float(said[place, likely]),
            float(said[place, labels[place]]),
            margin,
        )
        for place, likely, margin in zip(
            *(part.tolist() for part in (found.places, found.likely, found.margins)), strict=True
        )
    )
    _write(path, listed)
    return SuspectLabels(plan.teacher.model, int(judged.sum()), int((~judged).sum()), str(path), listed)


def _embed(opened: Opened, teacher: TeacherSpec, every: NDArray[np.int64], progress: Progress) -> None:
    """Let each teacher look at these images; those that it embedded before count as done at once."""
    recipe, fingerprint = opened.comparison.recipes[opened.comparison.train_images[-1]], opened.task.fingerprint
    progress.start("judging labels", len(every) * len(teacher.members), "images")
    for member in teacher.members:
        looked: list[int] = []

        def advance(images: int, looked: list[int] = looked) -> None:
            looked.append(images)
            progress.advance(images)

        cache = opened.resources.embeddings(member, fingerprint, recipe.policy, recipe.views)
        cache.ensure(every, [PLAIN], advance)
        progress.advance(len(every) - sum(looked))


def _judged(opened: Opened, rows: Rows, teacher: TeacherSpec) -> Bool[np.ndarray, " n"]:
    """Whether each image, those of training first, is of a class of which every fold's head has seen an image."""
    task = opened.task
    labels = task.labels[np.concatenate([rows.train, rows.val])]
    if teacher.head == "zero_shot":
        return np.ones(len(labels), dtype=np.bool_)
    counts, what = counts_for_folds(task, rows.train)
    judged: Bool[np.ndarray, " n"] = np.asarray(counts >= teacher.folds)[labels]
    if not judged.any():
        raise InputError(
            f"A label is judged by heads that have seen other {what} of its class",
            found=f"at most {counts.max()} training {what} a class, for {teacher.folds} folds",
            allowed=f"classes with {teacher.folds} or more",
            next_step="add images, or take fewer folds with --teacher-folds",
        )
    return judged


def _write(path: Path, listed: tuple[SuspectLabel, ...]) -> None:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([field.name for field in fields(SuspectLabel)])
    lines.writerows([f"{cell:.4f}" if isinstance(cell, float) else cell for cell in astuple(each)] for each in listed)
    try:
        write_atomically(path, text.getvalue())
    except OSError as error:
        raise cannot_write(path, error, option="--suspect-labels") from error
