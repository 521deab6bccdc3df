"""From what was asked to a plan with every default written out, and from the plan to its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

from azeotrope.arm import Arm, Pictures
from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.kinds._balance import require_balance
from azeotrope.kinds._kind import Kind
from azeotrope.kinds._measures import require_metric
from azeotrope.kinds._own_measure import code_of
from azeotrope.losses._contract import check_meaning, check_parameters, needs_teacher
from azeotrope.models.load import weights_available
from azeotrope.models.sources.file import code_hash
from azeotrope.plan import HELD_OUT, ComparePlan, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.recipe import AUTO, OFF, OWN_ERROR, Recipe
from azeotrope.sweeping.bands import check_bands
from azeotrope.sweeping.class_weights import read_class_weights
from azeotrope.sweeping.fold_ids import check_pooled
from azeotrope.sweeping.network_input import default_image_size, foreseen_channels
from azeotrope.sweeping.pools import check_pictures, extra_run
from azeotrope.sweeping.resources import Resources
from azeotrope.sweeping.spec import RunSpec, UpstreamRun
from azeotrope.sweeping.sweep_plan import SweepPlan
from azeotrope.terms import CROSS_ENTROPY, Term, losses_text, name_of

MIN_TRAIN_IMAGES = 2  # a contrastive loss needs a pair


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
    check_bands(asked, teacher, task, upstream)
    resources.student_cost(student, task.fingerprint, image_size)
    least = min(asked.train_images)
    if least < MIN_TRAIN_IMAGES:
        raise InputError("A training needs images", found=f"{least}", allowed=f"{MIN_TRAIN_IMAGES} or more")
    _check_folds(asked, folds)
    for size in asked.train_images:
        resources.rows(task.fingerprint, size, asked.seeds[0])
    _check_arms(arms, teacher, source)
    _check_kind(task.kind, arms, teacher)
    resources.pictures = asked.pictures
    check_pictures(arms, resources)
    if upstream is not None:
        _check_apart(task, upstream)
    shared = _of_upstream(asked.recipe)
    pretraining = _recipe(upstream, source.pretrain_images, shared) if source and upstream else None
    return ComparePlan(
        data=task.name,
        fingerprint=task.set_fingerprint,
        teacher=teacher and resources.resolved(teacher),
        student=student,
        image_size=image_size,
        train_images=tuple(sorted(set(asked.train_images))),
        arms=arms,
        seeds=asked.seeds,
        recipes={size: _recipe(task, size, asked.recipe) for size in asked.train_images},
        upstream=source,
        upstream_recipe=pretraining,
        pictures=asked.pictures,
        labels=asked.labels,
        held_out=task.splits.held_out or HELD_OUT,
        folds=tuple(fold.fingerprint for fold in folds),
        precision=resources.device.precision,
        compile=resources.device.compiles,
    )


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
    taught = plan.teacher is not None and _taught(arm)
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


def _recipe(task: Task, train_images: int, changes: Mapping[str, Any]) -> Recipe:
    """The recipe for this size; a picture whose mirror image means something else is not mirrored."""
    policy = {"mirror": task.source.mirror, **changes.get("policy", {})}
    read = {
        "policy": policy,
        "metric_code": code_of(changes.get("metric") or OWN_ERROR),
        "class_weights": read_class_weights(changes.get("class_weights") or OFF, task.classes),
    }
    recipe = Recipe.for_images(train_images, **{**_smoothing(task.kind, changes), **changes, **read})
    require_metric(task.kind, len(task.classes), recipe.metric)
    require_balance(task.kind, recipe)
    return recipe


def _of_upstream(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that its recipe shares: weights that a person gives are of the task's own classes."""
    own = changes.get("class_weights") in (None, OFF, AUTO)
    return dict(changes) if own else {**changes, "class_weights": OFF}


def _smoothing(kind: Kind, changes: Mapping[str, Any]) -> dict[str, float]:
    """None where labels are not one of several classes; the recipe's own where they are."""
    if kind.smooths_labels:
        return {}
    if changes.get("label_smoothing"):
        raise InputError(
            f"Labels of the kind {kind.name} are not smoothed",
            found=f"label_smoothing {changes['label_smoothing']}",
            allowed="0: smoothing is towards the other classes, of which an image has exactly one in the kind single",
            next_step="leave label_smoothing out",
        )
    return {"label_smoothing": 0.0}


def _check_smoothing(kind: Kind, losses: Iterable[str]) -> None:
    """An arm's own label smoothing, as the recipe's."""
    for key in losses:
        if name_of(key) == CROSS_ENTROPY and not kind.smooths_labels:
            _smoothing(kind, Term.parse(key).parameters)


def _taught(arm: Arm) -> bool:
    return needs_teacher(key for option in arm.options for key in option)


def _check_kind(kind: Kind, arms: Iterable[Arm], teacher: TeacherSpec | None) -> None:
    """What has a meaning for single labels only is refused for other kinds."""
    for arm in arms:
        for option in arm.options:
            check_parameters(option)
            check_meaning(option, kind.name)
            _check_smoothing(kind, option)
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


def _check_folds(asked: SweepPlan, folds: Sequence[Task]) -> None:
    """Every fold must leave as many images to train on as the largest size asks for."""
    assert not isinstance(asked.train_images, str)
    most, largest = min((len(fold.splits.train) for fold in folds), default=0), max(asked.train_images)
    if folds and largest > most:
        count = len(folds)
        raise InputError(
            f"A size is drawn from what a fold leaves: {count - 1} of {count} parts, less the validation images",
            found=f"--train-images {largest:,}",
            allowed=f"{MIN_TRAIN_IMAGES} to {most:,}",
            next_step="ask for fewer images, or for more folds, which leave more",
        )


def _check_apart(task: Task, upstream: Task) -> None:
    """An upstream image that is also the task's would smuggle labels past N, or past the test."""
    shared = set(task.manifest.checksums) & set(upstream.manifest.checksums)
    if shared:
        raise InputError(
            "The upstream set must not share images with the task",
            found=f"{len(shared):,} images of {upstream.name} are also in {task.name}",
            allowed="another labelled set",
            next_step="take another --upstream, or remove these images from it",
        )


def _check_arms(arms: Iterable[Arm], teacher: TeacherSpec | None, upstream: UpstreamSpec | None) -> None:
    names = [arm.name for arm in arms]
    if not names or len(set(names)) != len(names):
        raise InputError("A comparison needs arms, each once", found=", ".join(names) or "none", next_step="see --arms")
    for arm in arms:
        if _taught(arm) and teacher is None:
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
