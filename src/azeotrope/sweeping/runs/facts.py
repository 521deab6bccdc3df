"""The record of a run from what the run did: facts and costs, no conclusions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from azeotrope.arm import Pictures
from azeotrope.data.packing.rowstore import RowStore
from azeotrope.data.task import Task
from azeotrope.devices.memory import peak_memory_mb
from azeotrope.models.pretraining import published
from azeotrope.recipe import BALANCED, OWN_ERROR
from azeotrope.record.clusters import pack_clusters
from azeotrope.record.facts import FoldFacts, PublishedFacts, StudentFacts, TaskFacts, TeacherFacts
from azeotrope.record.machine.environment import environment
from azeotrope.record.run import RunRecord, pack_correctness
from azeotrope.sweeping.runs.fold_ids import over_folds
from azeotrope.sweeping.runs.pools import pool_seconds, teacher_views
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.search import Best
from azeotrope.sweeping.runs.taught import Taught
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.dataset import StudentData
from azeotrope.train.evaluate import Test
from azeotrope.train.loop import Rows

FORWARD = 1  # a frozen body has no backward pass; that of the head is next to nothing
FORWARD_AND_BACKWARD = 3  # a training step costs about three forward passes


def failed(resources: Resources, spec: RunSpec, reason: str) -> RunRecord:
    """The record of a run that could not be finished."""
    return RunRecord(state="failed", reason=reason, **_asked(resources, spec))


def done(
    resources: Resources,
    spec: RunSpec,
    best: Best,
    test: Test,
    data: StudentData,
    taught: Taught | None,
    pretraining: Best | None,
) -> RunRecord:
    """The record of a finished run."""
    return RunRecord(
        state="done",
        tuning=best.choices.tuning,
        search=best.choices.search,
        steps=best.trained.steps,
        skipped_steps=best.trained.skipped,
        best_epoch=best.trained.best_epoch,
        val_error=best.trained.error,
        test_error=test.error,
        test_nll=test.log_loss,
        test_ece=test.calibration_error,
        metrics=test.metrics,
        test_images=len(test.answers.said),
        correct=None if test.correct is None else pack_correctness(test.correct),
        clusters=None if test.images.clusters is None else pack_clusters(test.images.clusters),
        test_classes=pack_clusters(test.images.labels) if data.metric == BALANCED else None,
        seconds=_seconds(resources, spec, best, data, taught, pretraining) | {"test": test.seconds},
        joules=_joules(resources, spec, best, test, data, taught, pretraining),
        flops=_flops(resources, spec, taught),
        peak_memory_mb=peak_memory_mb(resources.device),
        **{
            **_asked(resources, spec),
            "losses": best.spec.stages()[-1].losses,
            "teacher": _teacher(resources, spec, taught, test.teacher_error),
        },
    )


def _asked(resources: Resources, spec: RunSpec) -> dict[str, Any]:
    task = resources.tasks[spec.task]
    rows = resources.rows(spec.task, spec.train_images, spec.seed)
    device = resources.device
    return {
        "run_id": spec.digest(),
        "task": TaskFacts(
            name=task.name,
            fingerprint=task.set_fingerprint,
            classes=task.classes,
            kind=task.kind.name,
            unit=task.source.unit,
            pixels=task.manifest.pixels,
            **_commonest(task, spec.recipe.metric),
        ),
        "strategy": spec.arm.strategy,
        "arm": spec.arm.name,
        "losses": spec.stages()[-1].losses,
        "student": _student(resources, spec),
        "init": spec.arm.init,
        "published": published_facts(spec.student) if spec.arm.init == "hub" else None,
        "teacher": _teacher(resources, spec, None, None),
        "train_images": spec.train_images,
        "val_images": len(rows.val),
        "pretrain_images": spec.upstream.pretrain_images if spec.upstream else 0,
        "unlabelled_images": _further(spec, "unlabelled"),
        "synthetic_images": _further(spec, "synth"),
        "upstream": spec.upstream.name if spec.upstream else None,
        "seed": spec.seed,
        "resize": spec.resize,
        "fold": _fold(resources, task, spec),
        "upstream_resize": spec.upstream.resize if spec.upstream else None,
        "recipe": spec.recipe.model_dump(mode="json"),
        "environment": environment(
            device=device.kind,
            accelerator=device.accelerator,
            cards=device.on_node,
            compiled=device.compiles,
            threads=torch.get_num_threads(),
            precision=device.precision,
        ),
    }


def _fold(resources: Resources, task: Task, spec: RunSpec) -> FoldFacts | None:
    fold = task.splits.fold
    if fold is None:
        return None
    return FoldFacts(number=fold.number, of=fold.of, over_folds=over_folds(resources, spec))


def _commonest(task: Task, metric: str) -> dict[str, Any]:
    """The largest class in training and what always naming it scores, where that is one answer of one class."""
    if task.commonest is None or metric not in (OWN_ERROR, BALANCED):
        return {}
    name, error = task.commonest
    return {"common_class": name, "common_error": task.commonest_over_classes if metric == BALANCED else error}


def published_facts(student: str) -> PublishedFacts:
    """What is published of the making of the student's weights, or why nothing is known."""
    found = published(student)
    return PublishedFacts(missing=found) if isinstance(found, str) else PublishedFacts(**asdict(found))


def _further(spec: RunSpec, kind: Pictures) -> int:
    return spec.pool.images if spec.extra and spec.pool and spec.extra.kind == kind else 0


def _student(resources: Resources, spec: RunSpec) -> StudentFacts:
    parameters, macs = resources.student_cost(spec.student, spec.task, spec.image_size)
    return StudentFacts(name=spec.student, parameters=parameters, macs=macs, image_size=spec.image_size)


def _teacher(
    resources: Resources, spec: RunSpec, taught: Taught | None, test_error: float | None
) -> TeacherFacts | None:
    if spec.teacher is None or spec.teacher_weights is None:
        return None
    return TeacherFacts(
        name=spec.teacher.model,
        weights_hash=spec.teacher_weights,
        image_size=resources.teacher(spec.teacher).image_size,
        head_accuracy=1 - taught.facts.val_error if taught else None,
        head=taught.facts if taught else None,
        head_error=test_error,
        bands=spec.teacher.bands,
        targets_by=spec.teacher.targets_by,
    )


def _seconds(
    resources: Resources,
    spec: RunSpec,
    best: Best,
    data: StudentData,
    taught: Taught | None,
    pretraining: Best | None,
) -> dict[str, float]:
    """What this run would have paid alone, by phase: shared work is charged in full, at the rate at which it was done.

    `tuning` is the time of the learning rates and losses that were not chosen.
    """
    rows = resources.rows(spec.task, spec.train_images, spec.seed)
    seconds = {
        "decode": sum(count * store.seconds_per_row() for store, count in _decoded(rows, data, taught)),
        "tuning": best.choices.seconds,
        **best.trained.seconds,
    }
    if taught is not None:
        seconds["teacher"] = _teacher_images(resources, spec) * taught.targets.cache.store.seconds_per_row()
        seconds["head"] = taught.head_seconds
        if taught.tuning_seconds:
            seconds["tune_teacher"] = taught.tuning_seconds
    for phase, more in pool_seconds(resources, spec, taught.targets if taught else None).items():
        seconds[phase] = seconds.get(phase, 0.0) + more
    if pretraining is not None:
        seconds["pretrain"] = pretraining.seconds
    return seconds


def _joules(
    resources: Resources,
    spec: RunSpec,
    best: Best,
    test: Test,
    data: StudentData,
    taught: Taught | None,
    pretraining: Best | None,
) -> dict[str, float]:
    """Energy by phase, charged as `_seconds` charges time; a phase where it is not known, such as one with further
    pictures, is left out.
    """
    if best.trained.joules is None:
        return {}
    rows = resources.rows(spec.task, spec.train_images, spec.seed)
    known: dict[str, float | None] = {"tuning": best.choices.joules, **best.trained.joules, "test": test.joules}
    if spec.extra is None:
        parts = [_of_rows(count, store.joules_per_row()) for store, count in _decoded(rows, data, taught)]
        counted = [part for part in parts if part is not None]
        known["decode"] = sum(counted) if len(counted) == len(parts) else None
    if taught is not None:
        known["head"] = taught.head_joules
        if spec.extra is None:
            known["teacher"] = _of_rows(_teacher_images(resources, spec), taught.targets.cache.store.joules_per_row())
    if pretraining is not None:
        known["pretrain"] = pretraining.joules
    return {phase: joules for phase, joules in known.items() if joules is not None}


def _decoded(rows: Rows, data: StudentData, taught: Taught | None) -> list[tuple[RowStore, int]]:
    """Where this run's images were packed, and how many: a teacher looks at frames of the validation images, which
    judge the student as pictures resized once.
    """
    frames, judged = data.images.pack.store, data.images.judged.store
    seen_twice = taught is not None and judged.folder != frames.folder
    return [(frames, len(rows.train) + (len(rows.val) if seen_twice else 0)), (judged, len(rows.val))]


def _of_rows(rows: int, joules: float | None) -> float | None:
    return None if joules is None else rows * joules


def _teacher_images(resources: Resources, spec: RunSpec) -> int:
    """Image views that the teacher must see for this run: K of each training image, and the plain view of all."""
    rows = resources.rows(spec.task, spec.train_images, spec.seed)
    return len(rows.train) * spec.recipe.cached_views + len(rows.train) + len(rows.val)


def _flops(resources: Resources, spec: RunSpec, taught: Taught | None) -> float | None:
    """2 FLOPs a multiply-accumulate; the student forward and backward in every candidate training, the teacher
    forward. None where the teacher's cannot be counted.
    """
    _, macs = resources.student_cost(spec.student, spec.task, spec.image_size)
    per_step = spec.recipe.batch_images + (spec.extra.per_step if spec.extra else 0)
    images = spec.recipe.steps(spec.train_images) * per_step * spec.trials
    passes = FORWARD if spec.stages()[-1].trains == "head" else FORWARD_AND_BACKWARD
    if spec.recipe.accumulate > 1:  # each part is computed again before it goes back
        passes += FORWARD
    flops = 2.0 * passes * macs * images
    if taught is not None:
        if (macs_of_teacher := taught.targets.cache.teacher.macs) is None:
            return None
        seen = _teacher_images(resources, spec) + teacher_views(resources, spec) + (images if spec.recipe.live else 0)
        flops += 2.0 * macs_of_teacher * (seen + FORWARD_AND_BACKWARD * taught.tuning_images)
    if spec.upstream is not None:
        flops += _flops(resources, spec.pretraining(), None) or 0.0
    return flops
