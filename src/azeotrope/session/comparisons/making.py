"""The runs of `compare` and `distill`: their plan opened in a folder that is held, and made by the conductor of sweeps.

A run that failed is tried again; what is recorded as done is not made again. Weights stay in `work` until the best are
saved.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.session.opening import Opened
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress
from azeotrope.session.sweeps.sweep_run import make_runs
from azeotrope.session.sweeps.sweep_setup import opened_aloud, standing_records
from azeotrope.session.tracking import Asked, open_tracking
from azeotrope.sweeping.budget import Meter
from azeotrope.sweeping.conductor import Everything
from azeotrope.sweeping.forecast import Forecast
from azeotrope.sweeping.plans.history import keep_plan
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.runs.runner import images_trained
from azeotrope.sweeping.status import Status


def made(
    plan: SweepPlan,
    out: Path,
    progress: Progress,
    machine: Machine,
    track: Asked = (),
    *,
    said_before: Callable[[Opened], tuple[str, ...]] = lambda opened: (),
) -> tuple[Opened, tuple[RunRecord, ...]]:
    """Open trackers and plan, say what should be known before training (`said_before` adds to it), make the runs; `out`
    is held by the caller.
    """
    tracking = open_tracking(track, out, progress.note)
    opened = opened_aloud(plan, progress, machine)._replace(tracking=tracking)
    for caution in said_before(opened):
        progress.note(caution)
    return opened, made_of(opened, out, progress)


def made_of(opened: Opened, out: Path, progress: Progress) -> tuple[RunRecord, ...]:
    """The records of all runs of an open plan, in its order."""
    grid, store = opened.grid, RunStore(str(out))
    known = standing_records(store, grid, retry_failed=True)
    keep_plan(store, grid.plan)
    left = [spec for spec in grid.specs if spec.digest() not in known]
    progress.start("training", sum(images_trained(spec) for spec in left), "images")
    status, shown = Status(), ""

    def advance(run_id: str, images: int) -> None:
        nonlocal shown
        status.advance(run_id, images)
        progress.advance(images)
        if run_id != shown and run_id in status.running:
            shown = run_id
            progress.say(status.running[run_id].label)

    forecast = Forecast(left, opened.resources, measured=False)
    meter, chooser, bench = Meter(grid.plan.budget), Everything(grid.specs), opened.bench(out, keeps=True)
    return make_runs(opened, bench, known, forecast, meter, chooser=chooser, status=status, advance=advance).records
