"""What `sweep` and `foresee` share: the plan read and opened, the records that stand, a run as it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from azeotrope.errors import InputError, StoreError
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.tasks import read_tasks
from azeotrope.session.findings.cautions import before_training
from azeotrope.session.opening import Opened, open_plan
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress
from azeotrope.spec import read_yaml
from azeotrope.sweeping.forecast import Forecast
from azeotrope.sweeping.plans.grid import Grid
from azeotrope.sweeping.plans.history import check_same_folds, stored_records
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.plans.tasks import planned
from azeotrope.sweeping.spec import RunSpec
from azeotrope.sweeping.status import label


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


def opened_aloud(plan: SweepPlan, progress: Progress, machine: Machine) -> Opened:
    """Open the plan, and say what should be known before its first run. Raises InputError as `open_plan`."""
    opened = open_plan(plan, progress, machine)
    for caution in before_training(opened):
        progress.note(caution)
    return opened


def foreseen(plan: SweepPlan, opened: Opened, out: str | Path) -> Foreseen:
    """The runs of an open plan with their seconds, from a trial of seconds."""
    grid, resources = opened.grid, opened.resources
    known = standing_records(RunStore(str(out)), grid, retry_failed=False)
    left = [spec for spec in grid.specs if spec.digest() not in known]
    forecast = Forecast(left, resources, measured=True)
    cells = tuple(cell_of(spec, known, forecast) for spec in grid.specs)
    return Foreseen(
        cells,
        sum(cell.seconds or 0.0 for cell in cells),
        plan.engine.workers or 1,
        plan.train_images == "auto",
        grid.not_tested,
    )


def standing_records(store: RunStore, grid: Grid, *, retry_failed: bool) -> dict[str, RunRecord]:
    """Records of this plan that stand: done and measured as every file that the plan asks for, and failed unless they
    are to be made again.
    """
    check_same_folds(store, grid.plan.folds)
    planned = {spec.digest() for spec in grid.specs}
    stored = stored_records(store, grid.plan.fingerprint or "")
    return {
        run_id: record
        for run_id, record in stored.items()
        if run_id in planned and (record.is_whole(grid.plan.deploy) or (record.state == "failed" and not retry_failed))
    }


def ask_for_files_again(store: RunStore, grid: Grid) -> None:
    """Files of the plan that could not be had, as on a worker without their packages, count as not asked for yet."""
    planned = {spec.digest() for spec in grid.specs} if grid.plan.deploy else set[str]()
    for run_id in planned & stored_records(store, grid.plan.fingerprint or "").keys():
        store.forget_reasons(run_id, grid.plan.deploy)


def cell_of(spec: RunSpec, known: dict[str, RunRecord], forecast: Forecast) -> Cell:
    """The run as the forecast shows it."""
    run_id = spec.digest()
    if run_id in known:
        return Cell(run_id, label(spec), known[run_id].state, None)
    return Cell(run_id, label(spec), "to do", forecast.seconds(run_id))
