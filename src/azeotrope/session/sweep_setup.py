"""What `sweep` and `foresee` share: the plan read, its images opened, the records that stand, a run as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from azeotrope.data.sources._places import cache_root
from azeotrope.devices.choice import choose
from azeotrope.devices.process import prepare
from azeotrope.errors import InputError, StoreError
from azeotrope.record.run import RunRecord
from azeotrope.record.store import RunStore
from azeotrope.record.tasks import read_tasks
from azeotrope.session.progress import Progress
from azeotrope.session.reading import read_task
from azeotrope.session.seen_weights import refuse_seen_weights
from azeotrope.spec import digest, read_yaml
from azeotrope.sweeping.engines._bench import Bench, ShippedTask
from azeotrope.sweeping.forecast import Forecast
from azeotrope.sweeping.grid import Grid, open_grid
from azeotrope.sweeping.history import stored_records
from azeotrope.sweeping.plan import check_models
from azeotrope.sweeping.resources import Resources
from azeotrope.sweeping.spec import RunSpec
from azeotrope.sweeping.status import label
from azeotrope.sweeping.sweep_plan import SweepPlan
from azeotrope.sweeping.tasks import planned


@dataclass(frozen=True)
class Cell:
    """A run of a plan, its state (done, failed, or to do) and how long it would take (None where it is recorded)."""

    run_id: str
    run: str
    state: str
    seconds: float | None


@dataclass(frozen=True)
class Foreseen:
    """What a sweep would make. `seconds` of all runs are added up; with `auto` only a part of them will be made."""

    cells: tuple[Cell, ...]
    seconds: float
    workers: int
    auto: bool
    not_tested: dict[str, str]


class Opened(NamedTuple):
    """A plan whose images are read and whose runs are known, what a worker needs for them, and what they share."""

    grid: Grid
    bench: Bench
    resources: Resources


def read_plan(plan: SweepPlan | str | Path) -> SweepPlan:
    """The plan itself, or what the YAML file of that name holds. Raises InputError for a plan of several tasks."""
    if isinstance(plan, SweepPlan):
        return plan
    tasks = planned({str(plan): read_yaml(Path(plan).expanduser())})
    if len(tasks) > 1:
        raise InputError(
            f"The plan {plan} has several tasks",
            found=", ".join(task.plan.data for task in tasks),
            next_step="make their runs with azeotrope.sweep_tasks, or on the command line with `azeotrope sweep`",
        )
    return tasks[0].plan


def check_one_task(out: str | Path) -> None:
    """A folder of several tasks holds their stores, and no runs of its own. Raises StoreError."""
    if tasks := read_tasks(RunStore(str(out))):
        raise StoreError(
            f"The folder {out} holds a sweep over several tasks",
            found=", ".join(task.folder for task in tasks),
            next_step=f"choose another folder with --out, or {out}/{tasks[0].folder} for more runs of that task",
        )


def is_url(out: str | Path) -> bool:
    """Whether runs go to another machine, not into a folder of this one."""
    return "://" in str(out)


def open_sweep(plan: SweepPlan, out: str | Path, cache: Path | None, progress: Progress) -> Opened:
    """Read the images, resolve the plan, say where everything is; unfinished trainings of a URL lie in the cache."""
    prepare()
    resources = Resources(cache.expanduser() if cache else cache_root(), choose(plan.precision))
    check_models(resources, plan.students, plan.teachers, plan.image_size)
    task = read_task(plan.data, progress, plan.labels, resources.cache, held_out=plan.held_out)
    upstream = read_task(plan.upstream, progress, cache=resources.cache) if plan.upstream else None
    for each in (task, upstream):
        if each is not None:
            resources.add(each)
    if upstream is not None:
        resources.rows(upstream.fingerprint, max(plan.pretrain_images), 0)  # are there so many?
    grid = open_grid(plan, resources, task, upstream)
    if not plan.seen_weights:
        arms = [arm for each in grid.plan.resolved for arm in each.arms]
        refuse_seen_weights(task.fingerprint, [each.student for each in grid.plan.resolved], plan.teachers, arms)
    shipped = [ShippedTask.of(task, plan.data, plan.labels)]
    if upstream is not None and plan.upstream:
        shipped.append(ShippedTask.of(upstream, plan.upstream))
    scratch = resources.cache / "sweeps" / digest(str(out)) if is_url(out) else Path(out)
    bench = Bench(tuple(shipped), resources.device, str(out), scratch, resources.cache, pictures=plan.pictures)
    return Opened(grid, bench, resources)


def foreseen(plan: SweepPlan, opened: Opened) -> Foreseen:
    """The runs of an open plan with their seconds, from a trial of seconds."""
    grid, bench, resources = opened
    known = standing_records(RunStore(bench.store), grid, retry_failed=False)
    left = [spec for spec in grid.specs if spec.digest() not in known]
    forecast = Forecast(left, resources, measured=True)
    cells = tuple(cell_of(spec, known, forecast) for spec in grid.specs)
    return Foreseen(
        cells,
        sum(cell.seconds or 0.0 for cell in cells),
        plan.engine.workers or 1,
        plan.train_images == "auto",
        grid.left_out,
    )


def standing_records(store: RunStore, grid: Grid, *, retry_failed: bool) -> dict[str, RunRecord]:
    """Records of this plan that stand: done, and failed unless they are to be made again."""
    planned = {spec.digest() for spec in grid.specs}
    stored = stored_records(store, grid.plan.fingerprint or "")
    return {
        run_id: record
        for run_id, record in stored.items()
        if run_id in planned and (record.state == "done" or not retry_failed)
    }


def cell_of(spec: RunSpec, known: dict[str, RunRecord], forecast: Forecast) -> Cell:
    """The run as the forecast shows it."""
    run_id = spec.digest()
    if run_id in known:
        return Cell(run_id, label(spec), known[run_id].state, None)
    return Cell(run_id, label(spec), "to do", forecast.seconds(run_id))
