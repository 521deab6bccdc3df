"""What of a plan is refused before anything is trained: models, arms, kinds of labels, folds, shared images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Literal

from azeotrope.arm import Arm
from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.kinds._kind import Kind
from azeotrope.losses._contract import check_meaning, check_parameters, needs_teacher
from azeotrope.plan import TeacherSpec, UpstreamSpec
from azeotrope.sweeping.plans.network_input import foreseen_channels
from azeotrope.sweeping.plans.recipes import check_smoothing
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.terms import losses_text

MIN_TRAIN_IMAGES = 2  # a contrastive loss needs a pair


def check_models(
    resources: Resources,
    students: Iterable[str],
    teachers: Iterable[TeacherSpec],
    image_size: int | None,
    bands: tuple[int, ...] | Literal["all"] | None = None,
) -> None:
    """Load each once, before images are listed: a mistyped name must not cost a scan of a million files.

    Raises InputError, with all problems where there are several.
    """
    student = partial(resources.student, pretrained=False, seed=0, in_channels=foreseen_channels(bands))
    loads: list[Callable[[], object]] = [
        *(partial(student, name, 2, image_size) for name in students),
        *(partial(resources.teacher, teacher) for teacher in teachers),
    ]
    refusals = [refusal for load in loads if (refusal := _refusal(load))]
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise InputError(
            "Some models of the plan cannot be used",
            found=" ".join(str(refusal) for refusal in refusals),
            next_step="correct these names and give the command again",
        )


def _refusal(load: Callable[[], object]) -> InputError | None:
    try:
        load()
    except InputError as refusal:
        return refusal
    return None


def check_arms(arms: Iterable[Arm], teacher: TeacherSpec | None, upstream: UpstreamSpec | None) -> None:
    """An arm must stand there once, with the teacher, the losses and the upstream set that it needs."""
    names = [arm.name for arm in arms]
    if not names or len(set(names)) != len(names):
        raise InputError("A comparison needs arms, each once", found=", ".join(names) or "none", next_step="see --arms")
    for arm in arms:
        if is_taught(arm) and teacher is None:
            raise InputError(
                f"The arm {arm.name} needs a teacher",
                next_step="name one with --teacher, for example tf_efficientnet_lite0",
            )
        for option in arm.options if arm.strategy == "distill" else ():
            if needs_teacher(option):
                continue
            raise InputError(
                f"The arm {arm.name} has no loss that compares with the teacher",
                found=losses_text(option),
                next_step="add one, for example distill:kl, or take scratch",
            )
        if arm.init == "upstream" and upstream is None:
            raise InputError(
                f"The arm {arm.name} needs an upstream source",
                next_step="name one with --upstream, and how many of its images with --pretrain-images",
            )


def is_taught(arm: Arm) -> bool:
    """Whether a loss of the arm asks a teacher."""
    return needs_teacher(key for option in arm.options for key in option)


def check_kind(kind: Kind, arms: Iterable[Arm], teacher: TeacherSpec | None) -> None:
    """What has a meaning for single labels only is refused for other kinds."""
    for arm in arms:
        for option in arm.options:
            check_parameters(option)
            check_meaning(option, kind.name)
            check_smoothing(kind, option)
        if arm.pictures and kind.name != "single":
            raise InputError(
                f"Further pictures teach tasks of the kind single only, not {kind.name}",
                found=f"the arm {arm.name}",
                next_step="leave --unlabelled and --synth out, or name arms without them",
            )
    if teacher is not None and teacher.head == "zero_shot" and kind.name != "single":
        raise InputError(
            f"A head made of class names chooses one class of several; a task of the kind {kind.name} needs another",
            allowed="--teacher-head linear",
            next_step="leave --teacher-head out",
        )


def check_sizes(asked: SweepPlan, folds: Sequence[Task]) -> None:
    """A size must be enough to train on, and every fold must leave as many images as the largest size asks for."""
    assert not isinstance(asked.train_images, str)
    least = min(asked.train_images)
    if least < MIN_TRAIN_IMAGES:
        raise InputError("A training needs images", found=f"{least}", allowed=f"{MIN_TRAIN_IMAGES} or more")
    most, largest = min((len(fold.splits.train) for fold in folds), default=0), max(asked.train_images)
    if folds and largest > most:
        count = len(folds)
        raise InputError(
            f"A size is drawn from what a fold leaves: {count - 1} of {count} parts, less the validation images",
            found=f"--train-images {largest:,}",
            allowed=f"{MIN_TRAIN_IMAGES} to {most:,}",
            next_step="ask for fewer images, or for more folds, which leave more",
        )


def check_apart(task: Task, upstream: Task) -> None:
    """An upstream image that is also the task's would smuggle labels past N, or past the test."""
    shared = set(task.manifest.checksums) & set(upstream.manifest.checksums)
    if shared:
        raise InputError(
            "The upstream set must not share images with the task",
            found=f"{len(shared):,} images of {upstream.name} are also in {task.name}",
            allowed="another labelled set",
            next_step="take another --upstream, or remove these images from it",
        )
