"""Carries out a plan that is open and checked: the runs that its store lacks, within a budget, and what was done.

`make_runs` is the one way to runs: of `sweep`, `compare` and `distill`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from azeotrope.devices.memory import give_back_freed_memory
from azeotrope.lookup import member
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.claim import claimed
from azeotrope.record.storage.claims import Claims
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.words import duration
from azeotrope.session.opening import Opened, is_url
from azeotrope.session.sweeps.adaptive_sweep import Deciding, Firming
from azeotrope.session.sweeps.sweep_setup import ask_for_files_again, standing_records
from azeotrope.session.tracking import Tracking
from azeotrope.sweeping.budget import BudgetTooSmallError, Meter
from azeotrope.sweeping.conductor import Chooser, Conductor, Everything, Outcome, Say, shared_time, side_by_side
from azeotrope.sweeping.engines._bench import Bench
from azeotrope.sweeping.engines._engine import Advance, Preparing
from azeotrope.sweeping.forecast import Forecast
from azeotrope.sweeping.plans.grid import Grid
from azeotrope.sweeping.plans.history import keep_plan
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs import facts
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.spec import RunSpec
from azeotrope.sweeping.status import Status, Unseen, View, label
from azeotrope.tables.training_curves import epochs_frame


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

    def curves(self) -> pl.DataFrame:
        """How the runs of `out` trained, a row a run and epoch: see `azeotrope.training_curves`."""
        return epochs_frame([self.out])


def held(out: str | Path) -> AbstractContextManager[object]:
    """A folder, held together with other sweeps; a URL is held by nobody."""
    return nullcontext() if is_url(out) else claimed(Path(out), shared=True)


def carry_out(
    plan: SweepPlan, opened: Opened, out: str | Path, meter: Meter, *, retry_failed: bool, view: View
) -> Sweep:
    """Make the runs that are missing, into a folder that is held. Raises BudgetTooSmallError before the first."""
    grid, resources, bench = opened.grid, opened.resources, opened.bench(out)
    store = RunStore(bench.store)
    if retry_failed:
        ask_for_files_again(store, grid)
    known = standing_records(store, grid, retry_failed=retry_failed)
    keep_plan(store, grid.plan)
    forecast = Forecast(grid.specs, resources, measured=plan.budget.seconds is not None)
    left = [spec for spec in grid.specs if spec.digest() not in known]
    auto = plan.train_images == "auto"
    _check_budget(meter, forecast, left, begun=bool(known), paired=auto, workers=plan.engine.workers or 1)
    give_back_freed_memory()  # of the forecast's trials: workers may make all the runs
    runner = Runner(resources, bench.out)
    if retry_failed:
        _forget(runner, left)
    chooser = Deciding(grid) if auto else Everything(grid.specs)
    status = Status()
    say: Say = (lambda records, last: None) if auto else Firming(grid, meter)
    outcome = make_runs(opened, bench, known, forecast, meter, chooser=chooser, status=status, say=say, view=view)
    _release(runner, grid, outcome)
    return _summary(str(out), grid, outcome, chooser.dropped if isinstance(chooser, Deciding) else (), status.said)


def make_runs(
    opened: Opened,
    bench: Bench,
    known: dict[str, RunRecord],
    forecast: Forecast,
    meter: Meter,
    *,
    chooser: Chooser,
    status: Status,
    say: Say = lambda records, last: None,
    view: View | None = None,
    advance: Advance | None = None,
) -> Outcome:
    """What every command that trains does with an open plan: its engine makes the runs that `known` has no record of.

    `status` says how far it is; `advance` hears it too.
    """
    grid, resources = opened.grid, opened.resources
    engines = member("sweeping.engines", grid.plan.engine.name, "engine")
    store = RunStore(bench.store)
    show = partial((opened.tracking or Tracking()).show, store=bench.store)
    for record in known.values():
        show(record)
    with (
        Claims(store) as claims,
        closing(engines.open_engine(bench, grid.plan.engine, advance or status.advance, resources)) as engine,
    ):
        if isinstance(engine, Preparing) and isinstance(chooser, Everything):  # another makes a part of its runs
            engine.prepare([spec for spec in grid.specs if spec.digest() not in known], resources)
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
            view=view or Unseen(),
            say=say,
            deploy=grid.plan.deploy,
            tracked=show,
        )
        return conductor.conduct()


def _check_budget(
    meter: Meter, forecast: Forecast, left: Sequence[RunSpec], *, begun: bool, paired: bool, workers: int
) -> None:
    """A budget that buys nothing is a mistake, unless earlier calls have made a part of the plan.

    What comes first is of the seed that chooses learning rates; of `paired` runs all of one size come together.
    """
    if begun or not left or meter.budget.seconds is None:
        return

    def seconds(specs: Sequence[RunSpec]) -> list[float]:
        return [forecast.seconds(spec.digest()) for spec in specs]

    first = [spec for spec in left if spec.seed == spec.tuning_seed]
    together = list(side_by_side(first).values()) if paired else [(spec,) for spec in first]
    cheapest = min(together, key=lambda specs: shared_time(seconds(specs), workers))
    needed, spent = shared_time(seconds(cheapest), workers), meter.spent_seconds
    if needed > meter.seconds_left:
        everything = spent + sum(seconds(left))
        others = f" and the {len(cheapest) - 1} compared with it take" if len(cheapest) > 1 else " takes"
        raise BudgetTooSmallError(
            f"The budget is too small for one run{' of each arm' if paired else ''}",
            found=f"{duration(meter.budget.seconds)}, of which reading the images and the trial took "
            f"{duration(spent)}; {label(cheapest[0])}{others} about {duration(needed)}",
            allowed=f"{duration(spent + needed)} or more; all {len(left)} runs take about {duration(everything)}",
            next_step="raise the budget, or take fewer epochs, smaller sizes or a smaller student",
        )


def _forget(runner: Runner, left: Sequence[RunSpec]) -> None:
    """A training that failed is an outcome and would be found again; a retry wants it made."""
    for spec in left:
        runner.tidy(spec)
        runner.tidy(spec.at_seed(spec.tuning_seed))


def _release(runner: Runner, grid: Grid, outcome: Outcome) -> None:
    """Delete what a worker that was killed between its record and its tidying left, and the pre-trainings once every
    run of the plan is done.
    """
    if runner.work.is_dir() and any(runner.work.iterdir()):
        done = {record.run_id for record in outcome.records if record.state == "done"}
        for spec in grid.specs:
            if spec.digest() in done:
                runner.tidy(spec)
    if sum(record.state == "done" for record in outcome.records) == len(grid.specs):
        for spec in grid.specs:
            if spec.upstream is not None:
                runner.tidy(spec.pretraining())


def _summary(out: str, grid: Grid, outcome: Outcome, dropped: tuple[str, ...], said: str) -> Sweep:
    names = {spec.digest(): label(spec) for spec in grid.specs}
    return Sweep(
        out=out,
        plan=grid.plan.question(),
        planned=len(grid.specs),
        made=outcome.made,
        done=tuple(record.run_id for record in outcome.records if record.state == "done"),
        failed={names[run.run_id]: run.reason or "" for run in outcome.records if run.state == "failed"},
        left_out={names[run_id]: reason for run_id, reason in outcome.left_out.items()},
        not_tested=grid.not_tested,
        dropped=dropped,
        stopped=outcome.stopped,
        said=said,
        seconds=outcome.seconds,
        seconds_in_runs=outcome.seconds_in_runs,
        workers=outcome.workers,
    )
