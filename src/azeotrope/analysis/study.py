"""Works out what the report of a sweep shows beyond its comparisons: a law, boundaries and advice over sizes.

What cannot be fitted is said, never guessed: a report is made from any runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from azeotrope.advice.answer import Advice
from azeotrope.advice.evidence import Evidence, Source
from azeotrope.boundaries.boundary import Boundary
from azeotrope.errors import AzeotropeError
from azeotrope.fitting.result import FitResult
from azeotrope.record.folds import pooled
from azeotrope.record.run import RunRecord
from azeotrope.record.teachers import told_apart
from azeotrope.reporting.page.study import Study, Sweep
from azeotrope.reporting.summary import shown_order
from azeotrope.tables.checks import FEWEST_SIZES
from azeotrope.tables.grouping import contender

REFERENCE = "scratch"
"""The arm all others are compared with; where it was not run, or none of its runs can be used, the first arm shown."""
FINETUNED = "finetune@upstream"
PRETRAINING = "pretrain_images"


@dataclass(frozen=True)
class Functions:
    """The public functions of these names, handed in from above: the page shows what they answer."""

    fit: Callable[..., FitResult]
    boundary: Callable[..., Boundary]
    advise: Callable[..., Advice]


def sweep_of(records: Sequence[RunRecord], functions: Functions) -> Sweep | None:
    """The sweep in these records; None when no student has three sizes of either axis, or they are of several tasks."""
    done = [run for run in told_apart(pooled(records)) if run.state == "done" and run.test_error is not None]
    families = _families([_named(run) for run in done])
    families = {key: runs for key, runs in families.items() if _sizes(runs) >= FEWEST_SIZES}
    along = _along_pretraining(done, functions)
    if not (families or along) or len({run.task.fingerprint for run in done}) > 1:
        return None
    studies = [_study(student, teacher, runs, functions) for (student, teacher), runs in families.items()]
    together = {run.run_id: run for runs in families.values() for run in runs}
    advice, unsaid = _advice(list(together.values()), functions) if together else (None, "")
    if unsaid:
        studies[0] = replace(studies[0], unfitted=(*studies[0].unfitted, unsaid))
    return Sweep((*studies, *along), advice)


def joined(sweeps: Mapping[str, Sweep | None]) -> Sweep | None:
    """The curves of several tasks on one page, by the task's name. There is no advice over tasks: each has its own."""
    studies = [
        replace(study, student=f"{study.student} on {name}")
        for name, sweep in sweeps.items()
        if sweep is not None
        for study in sweep.studies
    ]
    return Sweep(tuple(studies)) if studies else None


def tabulated_sweep(
    table: pl.DataFrame, arms: Sequence[str], reference: str, evidence: Evidence, functions: Functions
) -> Sweep | None:
    """The sweep in a person's own table (columns arm, train_images, test_error ...); None below three sizes an arm."""
    sizes = table.group_by("arm").agg(pl.col("train_images").n_unique())["train_images"]
    if int(sizes.max() or 0) < FEWEST_SIZES:  # type: ignore[arg-type]  # a count
        return None
    fitted, said = _fitted(table, arms, functions)
    usable = [arm for arm in arms if fitted is None or arm in fitted.groups]
    boundaries, unsaid = _boundaries(table, usable, reference if reference in usable else usable[0], functions)
    students = ", ".join(sorted({one.student for one in evidence.contenders} - {""}))
    advice, why = _advice(table, functions)
    left_out = (*said, *unsaid, *([why] if why else []))
    study = Study(students or evidence.task or "your runs", "", reference, fitted, tuple(boundaries), left_out)
    return Sweep((study,), advice)


def _named(run: RunRecord) -> RunRecord:
    """An arm pre-trained here on another number of images is a curve of its own."""
    return run.model_copy(update={"arm": contender(run.arm, run.pretrain_images), "pretrain_images": 0})


def _families(records: Sequence[RunRecord]) -> dict[tuple[str, str], list[RunRecord]]:
    """Runs by student and teacher; those without a teacher belong to every teacher's family."""
    families: dict[tuple[str, str], list[RunRecord]] = {}
    for student in sorted({run.student.name for run in records}):
        own = [run for run in records if run.student.name == student]
        for teacher in sorted({run.teacher.called for run in own if run.teacher}) or [""]:
            families[student, teacher] = [run for run in own if run.teacher is None or run.teacher.called == teacher]
    return families


def _sizes(runs: Iterable[RunRecord]) -> int:
    return len({run.train_images for run in runs})


def _study(student: str, teacher: str, runs: Sequence[RunRecord], functions: Functions) -> Study:
    arms = list(dict.fromkeys(run.arm for run in sorted(runs, key=shown_order)))
    fitted, said = _fitted(runs, arms, functions)
    usable = [arm for arm in arms if fitted is None or arm in fitted.groups]
    reference = REFERENCE if REFERENCE in usable else usable[0]
    boundaries, unsaid = _boundaries(runs, usable, reference, functions)
    return Study(student, teacher, reference, fitted, tuple(boundaries), (*said, *unsaid))


def _fitted(runs: Source, arms: Sequence[str], functions: Functions) -> tuple[FitResult | None, list[str]]:
    """The laws in the order of the arms, without arms of which no run can be used."""
    try:
        fitted = functions.fit(runs)
    except AzeotropeError as refusal:
        return None, [f"No law was fitted. {refusal}"]
    left_out = ", ".join(f"{count} x {reason}" for reason, count in fitted.excluded.items())
    said = [
        f"No law and no boundary of {arm}: none of its runs can be used. Left out in all: {left_out}."
        for arm in arms
        if arm not in fitted.groups
    ]
    groups = {arm: fitted.groups[arm] for arm in arms if arm in fitted.groups}
    return fitted.model_copy(update={"groups": groups}), said


def _boundaries(
    runs: Source, arms: Sequence[str], baseline: str, functions: Functions
) -> tuple[list[Boundary], list[str]]:
    """Every arm against the baseline."""
    found, said = [], []
    for arm in arms:
        if arm != baseline:
            try:
                found.append(functions.boundary(runs, challenger=arm, baseline=baseline))
            except AzeotropeError as refusal:
                said.append(f"No boundary between {arm} and {baseline}. {refusal}")
    return found, said


def _along_pretraining(runs: Sequence[RunRecord], functions: Functions) -> list[Study]:
    """One study a student, teacher and number of training images at which arms were pre-trained on three sizes."""
    studies = []
    for (student, teacher), own in _families(runs).items():
        for size in sorted({run.train_images for run in own}):
            here = [run for run in own if run.train_images == size]
            boundaries, said = [], []
            for challenger, baseline in _pretrained_pairs(here):
                try:
                    found = functions.boundary(here, axis=PRETRAINING, challenger=challenger, baseline=baseline)
                    boundaries.append(found)
                except AzeotropeError as refusal:
                    said.append(f"No boundary between {challenger} and {baseline}. {refusal}")
            if boundaries or said:
                over = f"upstream images, at {size:,} training images"
                studies.append(Study(student, teacher, REFERENCE, None, tuple(boundaries), tuple(said), over))
    return studies


def _pretrained_pairs(runs: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """Does a teacher still help a pre-trained student, and does pre-training help at all? (challenger, baseline)"""
    sizes: dict[str, set[int]] = {}
    for run in sorted(runs, key=shown_order):
        sizes.setdefault(run.arm, set()).add(run.pretrain_images)
    curves = [arm for arm, found in sizes.items() if len(found) >= FEWEST_SIZES]
    taught = [(arm, FINETUNED) for arm in sizes if arm.startswith("distill") and FINETUNED in curves]
    return taught + [(arm, REFERENCE) for arm in curves if REFERENCE in sizes]


def _advice(runs: Source, functions: Functions) -> tuple[Advice | None, str]:
    """The advice, or why there is none."""
    try:
        return functions.advise(runs), ""
    except AzeotropeError as refusal:
        return None, f"No advice. {refusal}"
