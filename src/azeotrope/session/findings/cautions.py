"""What a person should be told beside the numbers: about the images, the classes, the teacher.

What is known before training is said before it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.auditing.told import of_all_folds
from azeotrope.data.class_names import shard_warning
from azeotrope.data.division.groups import units_showing
from azeotrope.data.division.subset import subset
from azeotrope.data.task import Task
from azeotrope.data.unlabelled import Pool
from azeotrope.models.pretrained.licence import objection
from azeotrope.plan import ComparePlan
from azeotrope.recipe import OFF, OWN_ERROR, TOP5, Recipe
from azeotrope.record.kinds import words_of
from azeotrope.record.storage.answers import answers_of
from azeotrope.reporting.numbers import Comparison
from azeotrope.session.findings.pictures import tested_rows
from azeotrope.session.opening import Opened
from azeotrope.synthesis.pictures import NEAR_UNKNOWN, SynthSet
from azeotrope.teacher.teacher import Teacher

SHOWN = 5
UNEQUAL = 5  # times the smallest class, beyond which the error says little of it
EVENING = ", and for training --class-weights auto, --sampling balanced or --logit-adjustment 1"
PRETRAINING_CLASSES = (1000, 11821, 21841, 21843)  # ImageNet's: nobody expects these to be the task's


def before_training(opened: Opened) -> tuple[str, ...]:
    """About the classes (names that are no classes, sizes that are far apart), the pretrained weights that will be used
    (licences that forbid something, classifiers left out), and the further pictures; of several students and teachers
    each sentence once.
    """
    names = [said] if (said := shard_warning(opened.task.classes)) else []
    others = (said for plan in opened.grid.plan.resolved for said in _before(opened, plan))
    return tuple(dict.fromkeys((*names, *others)))


def _before(opened: Opened, plan: ComparePlan) -> Iterable[str]:
    """About one student and one teacher."""
    yield from unequal_classes(opened.tasks, next(iter(plan.recipes.values())))
    yield from _licences(opened, plan)
    for teacher in _teachers(opened, plan):
        yield from _left_out(teacher, opened.task)
    yield from _few_a_fold(opened, plan)
    yield from _further_pictures(opened, plan)


def cautions(tasks: Sequence[Task], comparison: Comparison, out: Path) -> tuple[str, ...]:
    """One sentence each; empty when there is nothing to say. `tasks` are the folds, or the one task; `out` holds what
    the runs said of each test image.
    """
    about_classes = (*_classes(tasks, comparison), *_never_named(tasks, comparison, out))
    words = of_all_folds([task.words for task in tasks])
    return (*words, *about_classes, *_teacher(comparison), *_searches(comparison))


def unequal_classes(tasks: Sequence[Task], recipe: Recipe) -> Iterable[str]:
    """An error over images hardly moves with a class of few; means over classes, of other kinds of task, do. Of folds
    the most unequal one is named.
    """
    task = max(tasks, key=_ratio)
    if task.kind.name != "single" or recipe.metric not in (OWN_ERROR, TOP5):
        return
    counts = task.kind.counts(task.labels[task.splits.train], len(task.classes))
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    if counts[largest] > UNEQUAL * counts[smallest]:
        split = f"training split of fold {task.splits.fold}" if task.splits.fold else "training split"
        yield (
            f"The {split} holds {counts[largest]:,} images of {task.classes[largest]!r} and "
            f"{counts[smallest]:,} of {task.classes[smallest]!r}, more than {UNEQUAL} to 1. What chooses and "
            "decides here is the share of images that are wrong, to which small classes add little: read their recall, "
            f"or say --metric balanced_error{'' if _evened_out(recipe) else EVENING}."
        )


def _ratio(task: Task) -> float:
    """Training images of the largest class over those of the smallest."""
    if task.kind.name != "single":
        return 1.0
    counts = task.kind.counts(task.labels[task.splits.train], len(task.classes))
    return float(counts.max()) / max(float(counts.min()), 0.5)


def _evened_out(recipe: Recipe) -> bool:
    """Whether the training makes up for unequal classes already."""
    return recipe.class_weights != OFF or recipe.sampling == "balanced" or recipe.logit_adjustment > 0


def _teachers(opened: Opened, plan: ComparePlan) -> tuple[Teacher, ...]:
    return opened.resources.teacher(plan.teacher).members if plan.teacher else ()


def _licences(opened: Opened, plan: ComparePlan) -> Iterable[str]:
    licences = {teacher.name: teacher.licence for teacher in _teachers(opened, plan)}
    if any(arm.init == "hub" for arm in plan.arms):
        channels = opened.task.manifest.in_channels
        licences[plan.student] = opened.resources.hub_licence(plan.student, plan.image_size, channels)
    for name, named in licences.items():
        if said := objection(named):
            yield (
                f"The licence of {name}, {named}, {said}. It may bind what is trained from it: read it before you use "
                "or publish the model."
            )


def _left_out(teacher: Teacher, task: Task) -> Iterable[str]:
    """A head for other classes is never used, nor is a random one put in its place."""
    found, classes = teacher.left_out_classes, len(task.classes)
    if found is None or found == classes or found in PRETRAINING_CLASSES:
        return
    single = task.kind.name == "single"
    has, own = (f", and this task has {classes}", " for these classes") if single else ("", "")
    yield (
        f"The weights of {teacher.name} hold a classifier of {found} classes{has}: it is left out, and the teacher "
        f"gets a head of its own{own}."
    )


def _few_a_fold(opened: Opened, plan: ComparePlan) -> Iterable[str]:
    """A fold without images of a class is judged by a head that has fewer of them, or none, to learn from."""
    if plan.teacher is None or plan.teacher.folds == 1 or opened.task.kind.name == "number":
        return
    for size, seed, task in product(plan.train_images, plan.seeds, opened.tasks):
        rows = opened.resources.rows(task.fingerprint, size, seed).train
        counts, what = counts_for_folds(task, rows)
        folds = min(plan.teacher.folds, len(rows if task.units is None else np.unique(task.units[rows])))
        few = int((counts < folds).sum())
        if few:
            where = f"seed {seed}, fold {task.splits.fold}" if task.splits.fold else f"seed {seed}"
            yield (
                f"With {size:,} training images ({where}), {few} of {len(task.classes)} classes have fewer {what} "
                f"than the teacher's head has folds ({folds}), so it knows little of them. "
                f"More {what} a class, or fewer --teacher-folds, help."
            )
            return


def counts_for_folds(task: Task, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], str]:
    """Of each class, what folds divide among these images, and its name: images, or groups that stay together."""
    if task.units is None:
        return task.kind.counts(task.labels[rows], len(task.classes)), "images"
    return units_showing(task.units[rows], task.kind.strata_of(task.labels[rows]), len(task.classes)), "groups"


def _further_pictures(opened: Opened, plan: ComparePlan) -> Iterable[str]:
    """What was taken out of the further pictures before they could teach, and who judged those that were made."""
    kinds = {arm.pictures for arm in plan.arms}
    if "unlabelled" in kinds:
        yield from _unlabelled(opened)
    if "synth" in kinds:
        yield from _made(opened, plan)


def _unlabelled(opened: Opened) -> Iterable[str]:
    pool: Pool = opened.resources.unlabelled(opened.task.fingerprint)
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in pool.counts().items()) or "none"
    yield f"Of {len(pool.task.labels):,} unlabelled pictures {len(pool.rows):,} may teach; left out: {dropped}."
    if not pool.near_measured:
        yield "Near duplicates among them were not looked for, since nearly all resemble each other; exact copies were."


def _made(opened: Opened, plan: ComparePlan) -> Iterable[str]:
    """Of every set that a run uses; several runs may use one."""
    teaching = {(teacher.name, teacher.image_size) for teacher in _teachers(opened, plan)}
    for size, seed in product(plan.train_images, plan.seeds):
        made: SynthSet = opened.resources.synth_set(plan.fingerprint, size, seed)
        pool, judge = made.pool, made.plan.teacher
        if pool.dropped:
            dropped = ", ".join(f"{count:,} {reason}" for reason, count in pool.counts().items())
            kept = f"{len(pool.task.labels):,} pictures kept in {pool.task.name}"
            yield f"Of {kept} {len(pool.rows):,} may teach; left out since they were judged: {dropped}."
        if not pool.near_measured:
            yield f"{NEAR_UNKNOWN} ({pool.task.name})."
        if (judge.model, judge.image_size) not in teaching:
            yield (
                f"The pictures in {pool.task.name} were judged by {judge.model} at {judge.image_size} pixels, which is "
                "not what teaches here: azeotrope synth with this teacher judges them again."
            )


def _classes(tasks: Sequence[Task], comparison: Comparison) -> Iterable[str]:
    """From as many images as classes on, every class is seen (`Kind.spread`); with several an image fewer may do, and
    with groups it may take more.
    """
    task, seeds = tasks[0], {seed for arm in comparison.arms for seed in arm.seeds}
    few = comparison.train_images < len(task.classes) or task.units is not None
    if few and any(_unseen(each, comparison, seed) for each in tasks for seed in seeds):
        yield (
            f"{comparison.train_images} training images do not show all {len(task.classes)} classes: "
            "some are never seen in training."
        )


def _never_named(tasks: Sequence[Task], comparison: Comparison, out: Path) -> Iterable[str]:
    """Classes that stand in the test split and that no run of an arm ever answers: an error rate does not show them."""
    if comparison.kind != "single":
        return
    task = tasks[0]
    present = np.unique(task.labels[tested_rows(tasks)])
    for arm in comparison.arms:
        every = (answers_of(out, *run_ids) for run_ids in comparison.runs_of(arm).values())
        said = [found.said for found in every if found is not None]
        missing = [
            task.classes[label]
            for label in present.tolist()
            if said and not any((label == each).any() for each in said)
        ]
        if missing:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            listed = ", ".join(map(repr, missing[:SHOWN]))
            yield f"{arm.name} never names {listed}{more} on the test images: none of them was found."


def _unseen(task: Task, comparison: Comparison, seed: int) -> bool:
    """Whether the training images of this seed lack a class."""
    pool, checksums = task.splits.train, task.manifest.checksums
    rows = subset(pool, task.labels, comparison.train_images, seed, checksums, task.kind, task.units)
    return bool((task.kind.counts(task.labels[rows], len(task.classes)) == 0).any())


def _teacher(comparison: Comparison) -> Iterable[str]:
    teacher = comparison.teacher
    errors = [arm.test_error.value for arm in comparison.arms if arm.test_error]
    if teacher is None or teacher.head_error is None or not errors or teacher.head_error <= min(errors):
        return
    yield (
        f"The teacher's head {_compared(teacher.head_error, min(errors), comparison.measure)}: a teacher "
        "below its student can still help, but a better one may help more."
    )


def _compared(teacher: float, student: float, measure: str) -> str:
    if measure == "single":
        return f"is wrong on {100 * teacher:.1f} % of the test images, the best student on {100 * student:.1f} %"
    error = words_of(measure).error
    return f"reaches {error} = {100 * teacher:.1f} % on the test images, the best student {100 * student:.1f} %"


def _searches(comparison: Comparison) -> Iterable[str]:
    """An arm that chose its losses had more trials than the others, and its validation error is the best of them."""
    for arm in comparison.arms:
        if arm.search is not None:
            count = len(arm.search.candidates)
            yield (
                f"{arm.name} chose its losses among {count} lists on validation and took {arm.search.chosen}. "
                f"Extra trainings: {count - 1}, charged under tuning. "
                "The choice flatters its validation error, not its test error."
            )
