"""From what was asked to a plan with every default written out, and from the plan to its runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

from azeotrope.arm import Arm, Pictures
from azeotrope.data.task import Task
from azeotrope.models.load import weights_available
from azeotrope.models.sources.file import code_hash
from azeotrope.plan import HELD_OUT, ComparePlan, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.sweeping.plans.bands import check_bands
from azeotrope.sweeping.plans.network_input import default_image_size
from azeotrope.sweeping.plans.plan_checks import check_apart, check_arms, check_kind, check_sizes, is_taught
from azeotrope.sweeping.plans.recipes import changes_of_upstream, recipe_of
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.fold_ids import check_pooled
from azeotrope.sweeping.runs.pools import check_pictures, extra_run
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec, UpstreamRun, repeats_of


def default_arms(
    student: str, upstream: UpstreamSpec | None, pictures: PicturesSpec | None = None
) -> tuple[list[Arm], dict[str, str]]:
    """The sensible ways to train this student here, and those left out with the reason.

    Distilling from pretrained weights, which peers leave out, is tested whenever these weights can be had. Where made
    pictures distil, training on them with their intended classes and no teacher is tested too.
    """
    arms, left_out = ["scratch", "distill"], dict[str, str]()
    pretrained = ["linear_probe", "finetune", "distill@hub"]
    problem = weights_available(student)
    if problem is None:
        arms += pretrained
    else:
        left_out = dict.fromkeys(pretrained, problem)
    if upstream is not None:
        arms += ["finetune@upstream", "distill@upstream"]
    if pictures is not None:
        arms += [f"distill+{kind}" for kind in get_args(Pictures) if pictures.place(kind)]
        arms += ["scratch+synth"] if pictures.synth else []
    return [Arm.parse(arm) for arm in arms], left_out


class Setting(NamedTuple):
    """One comparison of a plan: one student, under one teacher, with one number of upstream images."""

    student: str
    arms: tuple[Arm, ...]
    teacher: TeacherSpec | None
    upstream: UpstreamSpec | None


def make_plan(
    asked: SweepPlan,
    setting: Setting,
    task: Task,
    resources: Resources,
    upstream: Task | None = None,
    folds: Sequence[Task] = (),
) -> ComparePlan:
    """Resolve and check everything that can be checked before training; `asked` names its sizes as numbers. Of several
    `folds`, `task` is the first. Raises InputError.

    `asked.recipe` overrides the rules of the task's recipe and of the upstream's alike, but for weights by class.
    """
    student, arms, teacher, source = setting
    assert not isinstance(asked.train_images, str)
    image_size = asked.image_size or default_image_size(task, student)
    resources.pictures = asked.pictures
    _check(asked, setting, task, resources, upstream, folds)
    resources.student_cost(student, task.fingerprint, image_size)
    shared = changes_of_upstream(asked.recipe)
    pretraining = recipe_of(upstream, source.pretrain_images, shared) if source and upstream else None
    return ComparePlan(
        data=task.name,
        fingerprint=task.set_fingerprint,
        teacher=teacher and resources.resolved(teacher),
        student=student,
        image_size=image_size,
        train_images=tuple(sorted(set(asked.train_images))),
        arms=arms,
        seeds=asked.seeds,
        recipes={size: recipe_of(task, size, asked.recipe) for size in asked.train_images},
        upstream=source,
        upstream_recipe=pretraining,
        pictures=asked.pictures,
        labels=asked.labels,
        held_out=task.splits.held_out or HELD_OUT,
        folds=tuple(fold.fingerprint for fold in folds),
        precision=resources.device.precision,
        compile=resources.device.compiles,
    )


def _check(
    asked: SweepPlan,
    setting: Setting,
    task: Task,
    resources: Resources,
    upstream: Task | None,
    folds: Sequence[Task],
) -> None:
    """Refuse what `make_plan` is asked for in vain."""
    check_bands(asked, setting.teacher, task, upstream)
    check_sizes(asked, folds)
    for size in asked.train_images:
        resources.rows(task.fingerprint, int(size), asked.seeds[0])
    check_arms(setting.arms, setting.teacher, setting.upstream)
    check_kind(task.kind, setting.arms, setting.teacher)
    check_pictures(setting.arms, resources)
    if upstream is not None:
        check_apart(task, upstream)


def run_specs(plan: ComparePlan, train_images: int, resources: Resources, upstream: Task | None) -> list[RunSpec]:
    """The runs of one size, a seed and fold at a time, so that what is finished is always paired."""
    specs = [
        _spec(plan, resources.tasks[task], train_images, arm, seed, resources, upstream)
        for seed in plan.seeds
        for task in plan.tasks
        for arm in plan.arms
    ]
    check_pooled(resources, specs, len(plan.seeds) * len(plan.arms))
    return specs


def _spec(
    plan: ComparePlan,
    task: Task,
    train_images: int,
    arm: Arm,
    seed: int,
    resources: Resources,
    upstream: Task | None,
) -> RunSpec:
    taught = plan.teacher is not None and is_taught(arm)
    channels = task.manifest.in_channels
    return RunSpec(
        task=task.fingerprint,
        train_images=train_images,
        student=plan.student,
        image_size=plan.image_size,
        student_weights=resources.hub_weights(plan.student, plan.image_size, channels) if arm.init == "hub" else None,
        student_code=code_hash(plan.student),
        arm=arm,
        teacher=plan.teacher if taught else None,
        teacher_weights=resources.teacher(plan.teacher).weights_hash if taught and plan.teacher else None,
        teacher_code=_code(plan.teacher) if taught and plan.teacher else None,
        upstream=_upstream(plan, upstream, resources) if arm.init == "upstream" else None,
        extra=extra_run(plan, task.fingerprint, train_images, arm, seed, resources),
        recipe=plan.recipes[train_images],
        seed=seed,
        tuning_seed=plan.seeds[0],
        precision=plan.precision,
        resize=resources.resize(task.fingerprint, plan.image_size),
        repeats=repeats_of(arm, plan.recipes[train_images]),
        fold=None if task.splits.fold is None else str(task.splits.fold),
    )


def _code(teacher: TeacherSpec) -> str | None:
    """The code of those teachers that are `file:` models."""
    return " ".join(code for member in teacher.members if (code := code_hash(member.model))) or None


def _upstream(plan: ComparePlan, task: Task | None, resources: Resources) -> UpstreamRun:
    assert plan.upstream is not None
    assert plan.upstream_recipe is not None
    assert task is not None
    return UpstreamRun(
        fingerprint=task.fingerprint,
        name=task.name,
        pretrain_images=plan.upstream.pretrain_images,
        recipe=plan.upstream_recipe,
        resize=resources.resize(task.fingerprint, plan.image_size),
    )
