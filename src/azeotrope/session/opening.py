"""From a plan to what is ready to run: its models checked, its images read, its runs known, its workers' setup."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from azeotrope.data.sources._places import cache_root
from azeotrope.data.task import Task
from azeotrope.devices.choice import choose
from azeotrope.devices.compiled import require_compiler
from azeotrope.devices.process import prepare
from azeotrope.errors import InputError
from azeotrope.plan import AskedPrecision, ComparePlan
from azeotrope.recipe import AUTO, OFF
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress
from azeotrope.session.reading import read_folds, read_task
from azeotrope.session.seen_weights import refuse_seen_weights
from azeotrope.session.tracking import Tracking
from azeotrope.spec import digest
from azeotrope.sweeping.cards import require_shares
from azeotrope.sweeping.engines._bench import Bench, ShippedTask
from azeotrope.sweeping.plans.bands import require_teacher_bands
from azeotrope.sweeping.plans.class_weights import weights_file
from azeotrope.sweeping.plans.foreseen_packs import foreseen_packs
from azeotrope.sweeping.plans.grid import Grid, open_grid
from azeotrope.sweeping.plans.plan_checks import check_models
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec


class Opened(NamedTuple):
    """A plan whose images are read and whose runs are known, what they share, and the trackers that are shown them.

    `tasks` are the folds that its runs train and test on, of which `task` is the first; without folds it alone.
    """

    grid: Grid
    resources: Resources
    task: Task
    upstream: Task | None
    tasks: tuple[Task, ...]
    tracking: Tracking | None = None

    @property
    def comparison(self) -> ComparePlan:
        """The only one of a plan with one student, one teacher at most, and one number of upstream images."""
        (only,) = self.grid.plan.resolved
        return only

    def specs(self, train_images: int) -> list[RunSpec]:
        """The runs of one size."""
        return [spec for spec in self.grid.specs if spec.train_images == train_images]

    def bench(self, out: str | Path, *, keeps: bool = False) -> Bench:
        """What a worker needs for the runs that go to `out`; unfinished trainings of a URL lie in the cache."""
        plan = self.grid.plan
        shipped = [ShippedTask.of(task, plan.data, plan.labels) for task in self.tasks]
        if self.upstream is not None and plan.upstream:
            shipped.append(ShippedTask.of(self.upstream, plan.upstream))
        cache, device = self.resources.cache, self.resources.device
        work = cache / "sweeps" / digest(str(out)) if is_url(out) else Path(out)
        return Bench(
            tuple(shipped), device, str(out), work, cache, pictures=plan.pictures, keeps=keeps, deploy=plan.deploy
        )


def is_url(out: str | Path) -> bool:
    """Whether runs go to another machine, not into a folder of this one."""
    return "://" in str(out)


def open_plan(plan: SweepPlan, progress: Progress, machine: Machine) -> Opened:
    """Check the models, read the images, resolve the plan. Raises InputError for anything that can be seen to be wrong
    before training.
    """
    if machine.get("verify_cache") and not plan.teachers:
        raise InputError(
            "--verify-cache holds a teacher's embeddings against the teacher",
            found="no teacher",
            next_step="name one with --teacher, or leave --verify-cache out",
        )
    weights = plan.recipe.get("class_weights")
    if isinstance(weights, str) and weights not in (OFF, AUTO):
        weights_file(weights)
    require_teacher_bands(plan.teachers, plan.labels.pixels)
    resources = open_resources(machine, plan.precision, progress, several=True, compiles=plan.compile)
    check_models(resources, plan.students, plan.teachers, plan.image_size, plan.labels.pixels.bands)
    tasks = _tasks(plan, progress, resources, strict=machine.get("strict", False))
    task = tasks[0]
    for each in tasks:
        resources.add(each)
    upstream = read_task(plan.upstream, progress, cache=resources.cache) if plan.upstream else None
    if upstream is not None:
        resources.add(upstream)
        resources.rows(upstream.fingerprint, max(plan.pretrain_images), 0)  # are there so many?
    grid = open_grid(plan, resources, tasks, upstream, progress.say)
    require_shares(grid.specs, resources.device)
    if not plan.seen_weights:
        arms = [arm for each in grid.plan.resolved for arm in each.arms]
        refuse_seen_weights(task, [each.student for each in grid.plan.resolved], plan.teachers, arms)
    return Opened(grid, resources, task, upstream, tasks)


def _tasks(plan: SweepPlan, progress: Progress, resources: Resources, *, strict: bool) -> tuple[Task, ...]:
    """The folds, or the one task, of the plan's images, which are packed while they are read."""
    cache, foreseen = resources.cache, foreseen_packs(plan, resources)
    if plan.folds:
        return read_folds(plan.data, plan.folds, progress, plan.labels, cache, strict=strict, foreseen=foreseen)
    held_out = plan.held_out
    return (read_task(plan.data, progress, plan.labels, cache, held_out=held_out, strict=strict, foreseen=foreseen),)


def open_resources(
    machine: Machine,
    precision: AskedPrecision,
    progress: Progress,
    *,
    several: bool = False,
    compiles: bool = False,
) -> Resources:
    """What runs share on this machine, with nothing in it yet; where there was a choice of devices, why it fell so.
    `several` cards may be named for work that they can share; what is trained is compiled where `compiles` says so.
    """
    prepare()
    device = choose(precision, machine.get("device", "auto"), several=several)
    if compiles:
        device = replace(device, compiles=True)
        require_compiler(device)
        progress.note(f"Students are compiled for {device.name} before they train.")
    if device.reason:
        progress.note(f"Computes on {device.called} in {device.precision}: {device.reason}.")
    cache = machine.get("cache")
    folder = Path(cache).expanduser() if cache else cache_root()
    return Resources(folder, device, verify_cache=machine.get("verify_cache", False))
