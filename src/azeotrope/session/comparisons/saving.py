"""Leaves the winner's model on disk, ready to use, and frees what was only needed to find it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from azeotrope.models.saved import save_model
from azeotrope.record.kinds import metrics_text, words_of
from azeotrope.record.run import RunRecord
from azeotrope.reporting.numbers import Comparison
from azeotrope.session.opening import Opened
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.spec import RunSpec


def save_winner(opened: Opened, comparison: Comparison, out: Path) -> Path | None:
    """Save the winning arm's run that did best on validation, to `models/<run_id>/`; None when no run was finished."""
    runner = Runner(opened.resources, out)
    by_id = {spec.digest(): spec for spec in opened.specs(comparison.train_images)}
    records = [record for run_id in by_id if (record := runner.store.get(run_id)) and record.state == "done"]
    winners = [record for record in records if record.arm == comparison.winner]
    if not winners:
        return None
    best = min(winners, key=lambda record: (record.val_error, record.seed))
    return save_run(opened, runner, best, by_id[best.run_id])


def save_run(opened: Opened, runner: Runner, record: RunRecord, spec: RunSpec) -> Path:
    """Save the student of one run unless it is saved already; returns its folder. The trainings that led here are
    deleted; they are made again, bit-equal, if they are ever needed.
    """
    folder = _saved(opened, runner, record, spec)
    shutil.rmtree(runner.work, ignore_errors=True)
    return folder


def _saved(opened: Opened, runner: Runner, record: RunRecord, spec: RunSpec) -> Path:
    folder = runner.out / "models" / record.run_id
    if (folder / "model.yaml").exists():
        return folder
    task = opened.resources.tasks[spec.task]  # of its fold
    student = runner.student(spec)
    opened.resources.scale(spec.task, spec.train_images, spec.seed).fold(student.network.head)
    save_model(
        folder,
        student.network,
        spec=spec.student,
        classes=task.classes,
        preprocessing=replace(
            student.preprocessing,
            size=spec.image_size,
            resize="once",
            stored_size=None,
            stored_channels=task.manifest.bands,
            value_range=task.manifest.value_range,
            pixels=task.manifest.pixels,
            own_windows=task.manifest.own_windows,
        ),
        weights=student.weights,
        kind=record.task.kind,
        unit=record.task.unit,
        extra={
            "run_id": record.run_id,
            "arm": record.arm,
            "data": record.task.name,
            "fingerprint": record.task.fingerprint,
            **_fold(record),
            "images": task.manifest.images_digest,
            "train_images": record.train_images,
            "seed": record.seed,
            "val_error": record.val_error,
            "test_error": record.test_error,
            **_measured(record),
            **_evened_out(record),
            "teacher": record.teacher.name if record.teacher else None,
            **_teacher_licences(opened, spec),
        },
    )
    return folder


def _fold(record: RunRecord) -> dict[str, int]:
    """Which images it never saw, where it is the model of one fold."""
    return {"fold": record.fold.number, "folds": record.fold.of} if record.fold else {}


def _measured(record: RunRecord) -> dict[str, str]:
    """What the errors are and the further measures, where these are no shares of wrong images; by what measure, so that
    an export judges by the same.
    """
    words = words_of(record.measure)
    if record.measure == "single":
        return {}
    said = metrics_text(record.metrics, record.task.unit, record.test_error)
    named: dict[str, str] = {
        name: str(record.recipe[name]) for name in ("metric", "metric_code") if name in record.recipe
    }
    return {"error": f"{words.error}, {words.meaning}", "on the test images": said, **named}


def _evened_out(record: RunRecord) -> dict[str, str]:
    """How the training made up for unequal classes, which moves the probabilities; by class where a person said so."""
    given = {name: record.recipe.get(name) for name in ("class_weights", "sampling", "logit_adjustment")}
    return {name: "a file's" if isinstance(value, dict) else str(value) for name, value in given.items() if value}


def _teacher_licences(opened: Opened, spec: RunSpec) -> dict[str, str]:
    """What the card says of the licences under which the teachers' weights come; nothing without a teacher."""
    if spec.teacher is None:
        return {}
    members = opened.resources.teacher(spec.teacher).members
    return {"teacher_licence": "; ".join(member.licence or "not known, ask the author" for member in members)}
