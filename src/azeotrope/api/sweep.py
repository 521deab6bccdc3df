"""`azeotrope.sweep`: make the runs of a plan, within a budget, safe to kill and start again; or forecast them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from azeotrope.api.deciding import Deciding, Firming
from azeotrope.api.progress import Progress, Silent, scanning
from azeotrope.data.sources._places import cache_root
from azeotrope.data.task import load_task
from azeotrope.errors import InputError, StoreError
from azeotrope.lookup import member
from azeotrope.models.device import choose, give_back_freed_memory, prepare
from azeotrope.record.claim import claimed
from azeotrope.record.claims import Claims
from azeotrope.record.run import RunRecord
from azeotrope.record.store import RunStore
from azeotrope.record.tasks import read_tasks
from azeotrope.reporting.words import duration
from azeotrope.spec import digest, read_yaml
from azeotrope.sweeping import facts
from azeotrope.sweeping.budget import BudgetTooSmall, Meter
from azeotrope.sweeping.conductor import Conductor, Everything, Outcome
from azeotrope.sweeping.engines._bench import Bench, ShippedTask
from azeotrope.sweeping.engines._engine import Preparing
from azeotrope.sweeping.forecast import Forecast
from azeotrope.sweeping.grid import Grid, open_grid
from azeotrope.sweeping.history import keep_plan, stored_records
from azeotrope.sweeping.plan import check_models
from azeotrope.sweeping.resources import Resources
from azeotrope.sweeping.runner import Runner
from azeotrope.sweeping.spec import RunSpec
from azeotrope.sweeping.status import Status, Unseen, View, label
from azeotrope.sweeping.sweep_plan import SweepPlan
from azeotrope.sweeping.tasks import planned


@dataclass(frozen=True)
class Sweep:
    """What a sweep did, and where its plan stands now.

    `done` holds run ids; `failed` and `left_out` say why, by the run's name; `not_tested` names arms that are not
    possible here, `dropped` those that cannot win. `made` counts the runs of this call. `seconds` are by the clock,
    `seconds_in_runs` are added up over `workers`.
    """

    out: str
    plan: str
    planned: int
    made: int
    done: tuple[str, ...]
    failed: dict[str, str]
    left_out: dict[str, str]
    not_tested: dict[str, str]
    dropped: tuple[str, ...]
    stopped: str
    said: str
    seconds: float
    seconds_in_runs: float
    workers: int


class Opened(NamedTuple):
    """A plan whose images are read and whose runs are known, what a worker needs for them, and what they share."""

    grid: Grid
    bench: Bench
    resources: Resources


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


def sweep(
    plan: SweepPlan | str | Path,
    *,
    out: str | Path,
    cache: Path | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
    view: View | None = None,
) -> Sweep:
    """Make the runs of `plan` (or of the YAML file it names) that `out`, a folder or fsspec URL, does not hold yet.

    It ends when all runs are made, when the plan's budget is spent, or, with `train_images: auto`, when it is clear
    which arm wins. A run that failed is made again with `retry_failed` only. Several sweeps may write to one `out` at
    the same time and divide the work. Raises InputError for a plan that cannot be carried out or whose budget is too
    small for one run, StoreError for an `out` that cannot be used.
    """
    plan = _read(plan)
    meter = Meter(plan.budget)
    with held(out):
        check_one_task(RunStore(str(out)))
        opened = open_plan(plan, out, cache, progress or Silent())
        return carry_out(plan, opened, out, meter, retry_failed=retry_failed, view=view or Unseen())


def held(out: str | Path) -> AbstractContextManager[object]:
    """A folder, held together with other sweeps; a URL is held by nobody."""
    return nullcontext() if _is_url(out) else claimed(Path(out), shared=True)


def carry_out(
    plan: SweepPlan, opened: Opened, out: str | Path, meter: Meter, *, retry_failed: bool, view: View
) -> Sweep:
    """Make the runs of a plan that is open and checked, into a folder that is held. Raises BudgetTooSmall."""
    grid, bench, resources = opened
    store = RunStore(bench.store)
    known = _known(store, grid, retry_failed=retry_failed)
    keep_plan(store, grid.plan)
    forecast = Forecast(grid.specs, resources, measured=plan.budget.seconds is not None)
    left = [spec for spec in grid.specs if spec.digest() not in known]
    _check_budget(meter, forecast, left, begun=bool(known))
    give_back_freed_memory()  # of the forecast's trials: workers may make all the runs
    if retry_failed:
        _forget(Runner(resources, bench.out), left)
    status = Status()
    engines = member("sweeping.engines", plan.engine.name, "engine")
    chooser = Deciding(grid) if plan.train_images == "auto" else Everything(grid.specs)
    with Claims(store) as claims, closing(engines.open_engine(bench, plan.engine, status.advance)) as engine:
        if isinstance(engine, Preparing) and plan.train_images != "auto":  # auto makes a part of its runs
            engine.prepare(left, resources)
        conductor = Conductor(
            specs=grid.specs,
            store=store,
            engine=engine,
            chooser=chooser,
            forecast=forecast,
            meter=meter,
            claims=claims,
            failed=lambda spec, reason: facts.failed(resources, spec, reason),
            records=known,
            status=status,
            view=view,
            say=Firming(grid, meter) if isinstance(chooser, Everything) else lambda records, last: None,
        )
        outcome = conductor.conduct()
    _release(Runner(resources, bench.out), grid, outcome)
    dropped = chooser.dropped if isinstance(chooser, Deciding) else ()
    return _summary(str(out), grid, outcome, dropped, status.said, engine.workers)


def foresee(
    plan: SweepPlan | str | Path, *, out: str | Path, cache: Path | None = None, progress: Progress | None = None
) -> Foreseen:
    """The runs of `plan` and how long they will take, from a trial of seconds. Nothing is written but the cache."""
    plan = _read(plan)
    return foreseen(plan, open_plan(plan, out, cache, progress or Silent()))


def foreseen(plan: SweepPlan, opened: Opened) -> Foreseen:
    """The same of a plan that is open."""
    grid, bench, resources = opened
    known = _known(RunStore(bench.store), grid, retry_failed=False)
    left = [spec for spec in grid.specs if spec.digest() not in known]
    forecast = Forecast(left, resources, measured=True)
    cells = tuple(_cell(spec, known, forecast) for spec in grid.specs)
    return Foreseen(
        cells,
        sum(cell.seconds or 0.0 for cell in cells),
        plan.engine.workers or 1,
        plan.train_images == "auto",
        grid.left_out,
    )


def _read(plan: SweepPlan | str | Path) -> SweepPlan:
    if isinstance(plan, SweepPlan):
        return plan
    tasks = planned({str(plan): read_yaml(Path(plan))})
    if len(tasks) > 1:
        raise InputError(
            f"The plan {plan} has several tasks",
            found=", ".join(task.plan.data for task in tasks),
            next_step="make their runs with azeotrope.sweep_tasks, or on the command line with `azeotrope sweep`",
        )
    return tasks[0].plan


def check_one_task(store: RunStore) -> None:
    """A folder of several tasks holds their stores, and no runs of its own."""
    if tasks := read_tasks(store):
        raise StoreError(
            f"The folder {store.root} holds a sweep over several tasks",
            found=", ".join(task.folder for task in tasks),
            next_step=f"choose another folder with --out, or {store.root}/{tasks[0].folder} for more runs of that task",
        )


def _is_url(out: str | Path) -> bool:
    return "://" in str(out)


def open_plan(plan: SweepPlan, out: str | Path, cache: Path | None, progress: Progress) -> Opened:
    """Read the images, resolve the plan, say where everything is; unfinished trainings of a URL lie in the cache."""
    prepare()
    resources = Resources(cache or cache_root(), choose(plan.precision))
    check_models(resources, plan.students, plan.teachers, plan.image_size)
    task = load_task(plan.data, scanning(progress), plan.labels, plan.held_out)
    upstream = load_task(plan.upstream, scanning(progress)) if plan.upstream else None
    for each in (task, upstream):
        if each is not None:
            resources.add(each)
    if upstream is not None:
        resources.rows(upstream.fingerprint, max(plan.pretrain_images), 0)  # are there so many?
    grid = open_grid(plan, resources, task, upstream)
    shipped = [ShippedTask.of(task, plan.data, plan.labels)]
    if upstream is not None and plan.upstream:
        shipped.append(ShippedTask.of(upstream, plan.upstream))
    scratch = resources.cache / "sweeps" / digest(str(out)) if _is_url(out) else Path(out)
    bench = Bench(tuple(shipped), resources.device, str(out), scratch, resources.cache, pictures=plan.pictures)
    return Opened(grid, bench, resources)


def _known(store: RunStore, grid: Grid, *, retry_failed: bool) -> dict[str, RunRecord]:
    """Records of this plan that stand: done, and failed unless they are to be made again."""
    planned = {spec.digest() for spec in grid.specs}
    stored = stored_records(store, grid.plan.fingerprint or "")
    return {
        run_id: record
        for run_id, record in stored.items()
        if run_id in planned and (record.state == "done" or not retry_failed)
    }


def _check_budget(meter: Meter, forecast: Forecast, left: Sequence[RunSpec], *, begun: bool) -> None:
    """A budget that buys nothing is a mistake, unless earlier calls have made a part of the plan."""
    if begun or not left or meter.budget.seconds is None:
        return
    cheapest = min(left, key=lambda spec: forecast.seconds(spec.digest()))
    needed, spent = forecast.seconds(cheapest.digest()), meter.spent_seconds
    if not meter.fits(needed):
        everything = spent + sum(forecast.seconds(spec.digest()) for spec in left)
        raise BudgetTooSmall(
            "The budget is too small for one run",
            found=f"{duration(meter.budget.seconds)}, of which reading the images and the trial took "
            f"{duration(spent)}; {label(cheapest)} takes about {duration(needed)}",
            allowed=f"{duration(spent + needed)} or more; all {len(left)} runs take about {duration(everything)}",
            next_step="raise the budget, or take fewer epochs, smaller sizes or a smaller student",
        )


def _forget(runner: Runner, left: Sequence[RunSpec]) -> None:
    """A training that failed is an outcome and would be found again; a retry wants it made."""
    for spec in left:
        runner.tidy(spec)
        runner.tidy(spec.at_seed(spec.tuning_seed))


def _release(runner: Runner, grid: Grid, outcome: Outcome) -> None:
    """Delete the pre-trainings once every run of the plan is done."""
    if sum(record.state == "done" for record in outcome.records) == len(grid.specs):
        for spec in grid.specs:
            if spec.upstream is not None:
                runner.tidy(spec.pretraining())


def _cell(spec: RunSpec, known: dict[str, RunRecord], forecast: Forecast) -> Cell:
    run_id = spec.digest()
    if run_id in known:
        return Cell(run_id, label(spec), known[run_id].state, None)
    return Cell(run_id, label(spec), "to do", forecast.seconds(run_id))


def _summary(out: str, grid: Grid, outcome: Outcome, dropped: tuple[str, ...], said: str, workers: int) -> Sweep:
    names = {spec.digest(): label(spec) for spec in grid.specs}
    return Sweep(
        out=out,
        plan=grid.plan.question(),
        planned=len(grid.specs),
        made=outcome.made,
        done=tuple(record.run_id for record in outcome.records if record.state == "done"),
        failed={names[run.run_id]: run.reason or "" for run in outcome.records if run.state == "failed"},
        left_out={names[run_id]: reason for run_id, reason in outcome.left_out.items()},
        not_tested=grid.left_out,
        dropped=dropped,
        stopped=outcome.stopped,
        said=said,
        seconds=outcome.seconds,
        seconds_in_runs=outcome.seconds_in_runs,
        workers=workers,
    )
