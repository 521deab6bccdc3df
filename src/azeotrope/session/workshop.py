"""What `compare`, `distill` and `check` share: from arguments to an open task, a plan, and an output folder of one's
own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from azeotrope.arm import Arm
from azeotrope.data.sources._places import cache_root
from azeotrope.data.task import Task
from azeotrope.devices.choice import choose
from azeotrope.devices.process import prepare
from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import HELD_OUT, ComparePlan, PicturesSpec, TeacherSpec, UpstreamSpec
from azeotrope.record.claim import PLAN, check_same_data
from azeotrope.record.store import cannot_write, write_atomically
from azeotrope.session.cache_budget import within_budget
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.reading import read_task
from azeotrope.session.seen_weights import refuse_seen_weights
from azeotrope.spec import to_yaml
from azeotrope.sweeping.history import planned_for
from azeotrope.sweeping.plan import check_models, default_arms, make_plan
from azeotrope.sweeping.resources import Resources


@dataclass(frozen=True)
class Request:
    """What a person asked, before defaults are filled in. `recipe` holds `RecipeChanges` by name; `losses` are
    for the `distill` arms that name none: one list, or several to choose from on validation. `cache_gb` is the room for
    the teacher cache (None: as much as it needs), `verify_cache` compares a sample of it with the teacher, `strict`
    refuses a set with an unreadable image, `labels` says what a label is, `seen_weights` lets in weights that were
    trained on these very images, `held_out` is the share of images in each split that the source does not give.
    """

    data: str | Path
    student: str
    teacher: str | TeacherSpec | None
    train_images: Sequence[int] | None = None
    arms: str | Sequence[str] | None = None
    seeds: Sequence[int] = (0, 1, 2)
    image_size: int | None = None
    upstream: UpstreamSpec | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    cache: Path | None = None
    losses: str | Sequence[str] | None = None
    cache_gb: float | None = None
    verify_cache: bool = False
    strict: bool = False
    pictures: PicturesSpec | None = None
    labels: LabelSpec = ONE_CLASS
    seen_weights: bool = False
    held_out: float = HELD_OUT

    def __post_init__(self) -> None:
        """Take what a person writes in Python as the command line takes it: a path, one text of several arms."""
        object.__setattr__(self, "data", os.fspath(self.data))
        for name in ("arms", "losses"):
            if isinstance(given := getattr(self, name), str):
                object.__setattr__(self, name, [part.strip() for part in given.split(",") if part.strip()])


@dataclass(frozen=True)
class Workshop:
    """Everything open and checked: ready to run. `left_out` names the arms that cannot be tested here, with the
    reason.
    """

    task: Task
    upstream: Task | None
    resources: Resources
    plan: ComparePlan
    left_out: dict[str, str]


def open_workshop(request: Request, progress: Progress | None = None) -> Workshop:
    """Read the images and resolve the plan. Raises InputError for anything that can be seen to be wrong before
    training.
    """
    progress = progress or Silent()
    prepare()
    cache = request.cache.expanduser() if request.cache else cache_root()
    resources = Resources(cache, choose(request.precision), verify_cache=request.verify_cache)
    arms, left_out = _arms(request)
    teacher = TeacherSpec(model=request.teacher) if isinstance(request.teacher, str) else request.teacher
    check_models(resources, [request.student], [teacher] if teacher else [], request.image_size)
    task = read_task(
        request.data, progress, request.labels, resources.cache, held_out=request.held_out, strict=request.strict
    )
    resources.add(task)
    if not request.seen_weights:
        refuse_seen_weights(task.fingerprint, [request.student], [teacher] if teacher else [], arms)
    upstream = None
    if request.upstream is not None:
        upstream = read_task(request.upstream.data, progress, cache=resources.cache)
        resources.add(upstream)
        resources.rows(upstream.fingerprint, request.upstream.pretrain_images, request.seeds[0])  # are there so many?
    plan = make_plan(
        task,
        resources,
        teacher=teacher,
        student=request.student,
        arms=arms,
        seeds=request.seeds,
        train_images=request.train_images or [len(task.splits.train)],
        image_size=request.image_size,
        upstream=request.upstream,
        upstream_task=upstream,
        recipe=request.recipe,
        pictures=request.pictures,
        labels=request.labels,
    )
    if request.cache_gb is not None:
        asked = request.recipe.get("views")
        plan = within_budget(plan, request.cache_gb, asked, resources, task, progress)
    return Workshop(task, upstream, resources, plan, left_out)


def keep_plan(out: Path, plan: ComparePlan) -> None:
    """Write `plan.yaml`. Raises StoreError when the folder holds runs of other images; nothing is then overwritten."""
    path = out / PLAN
    if path.exists():
        check_same_data(out, planned_for(path.read_bytes(), str(path)), plan.fingerprint)
    try:
        write_atomically(path, to_yaml(plan))
    except OSError as error:
        raise cannot_write(path, error) from error


def _arms(request: Request) -> tuple[list[Arm], dict[str, str]]:
    if request.arms is not None:
        return _with_losses(request.arms, request.losses), {}
    arms, left_out = default_arms(request.student, request.upstream, request.pictures)
    arms = _with_losses([arm.name for arm in arms], request.losses)
    if request.teacher is None:
        left_out |= {arm.name: "no teacher was named" for arm in arms if arm.strategy == "distill"}
        arms = [arm for arm in arms if arm.strategy != "distill"]
    return arms, left_out


def _with_losses(arms: Sequence[str], losses: Sequence[str] | None) -> list[Arm]:
    """Arms as they are written; `distill` without losses gets these."""
    if losses is None:
        return [Arm.parse(arm) for arm in arms]
    open_ = [arm for arm in arms if Arm.parse(arm).strategy == "distill" and ":" not in arm]
    if not open_ or not losses:
        raise InputError(
            "--losses is for distill arms that name no losses",
            found=f"losses {', '.join(losses) or 'none'}; arms {', '.join(arms)}",
            allowed="--arms scratch,distill --losses kl,info_nce+kl=0.5",
            next_step="add such an arm, or leave --losses out",
        )
    return [Arm.parse(f"{arm}:{'/'.join(losses)}" if arm in open_ else arm) for arm in arms]
