"""What `compare`, `distill` and `check` share: from arguments to an open task, a plan, and an output folder of one's
own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from azeotrope.api.progress import Progress, Silent, scanning
from azeotrope.config import Arm, ComparePlan, TeacherSpec, UpstreamSpec, from_yaml, to_yaml
from azeotrope.data.task import Task, load_task
from azeotrope.models.device import choose, make_repeatable
from azeotrope.record.claim import PLAN, check_same_data
from azeotrope.record.store import cannot_write, write_atomically
from azeotrope.sweeping.plan import default_arms, make_plan
from azeotrope.sweeping.resources import Resources


@dataclass(frozen=True)
class Request:
    """What a person asked, before defaults are filled in. `recipe` overrides fields of `Recipe` by name."""

    data: str
    student: str
    teacher: str | TeacherSpec | None
    train_images: Sequence[int] | None = None
    arms: Sequence[str] | None = None
    seeds: Sequence[int] = (0, 1, 2)
    image_size: int | None = None
    upstream: UpstreamSpec | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    cache: Path | None = None


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
    make_repeatable()
    resources = Resources(request.cache or default_cache(), choose(request.precision))
    arms, left_out = _arms(request)
    teacher = TeacherSpec(model=request.teacher) if isinstance(request.teacher, str) else request.teacher
    _check_models(resources, request, teacher)
    task = load_task(request.data, scanning(progress))
    resources.add(task)
    upstream = None
    if request.upstream is not None:
        upstream = load_task(request.upstream.data, scanning(progress))
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
    )
    return Workshop(task, upstream, resources, plan, left_out)


def keep_plan(out: Path, plan: ComparePlan) -> None:
    """Write `plan.yaml`. Raises StoreError when the folder holds runs of other images; nothing is then overwritten."""
    path = out / PLAN
    if path.exists():
        check_same_data(out, from_yaml(ComparePlan, path).fingerprint, plan.fingerprint)
    try:
        write_atomically(path, to_yaml(plan))
    except OSError as error:
        raise cannot_write(path, error) from error


def default_cache() -> Path:
    """Where packs and embeddings are kept: `$AZEOTROPE_CACHE`, else the user's cache folder. It may be deleted at
    any time.
    """
    named = os.environ.get("AZEOTROPE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named).expanduser() if named else base / "azeotrope"


def _check_models(resources: Resources, request: Request, teacher: TeacherSpec | None) -> None:
    """Load both once, before the images are listed: a mistyped name must not cost a scan of a million files."""
    resources.student(request.student, 2, request.image_size, pretrained=False, seed=0)
    if teacher is not None:
        resources.teacher(teacher)


def _arms(request: Request) -> tuple[list[Arm], dict[str, str]]:
    if request.arms is not None:
        return [Arm.parse(arm) for arm in request.arms], {}
    arms, left_out = default_arms(request.student, request.upstream)
    if request.teacher is None:
        left_out |= {arm.name: "no teacher was named" for arm in arms if arm.strategy == "distill"}
        arms = [arm for arm in arms if arm.strategy != "distill"]
    return arms, left_out
