"""`azeotrope.sweep`: make the runs of a plan, within a budget, safe to kill and start again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from azeotrope.record.storage.store import expanded
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweeps.sweep_run import Sweep, carry_out, held
from azeotrope.session.sweeps.sweep_setup import check_one_task, opened_aloud, read_plan
from azeotrope.session.tracking import open_tracking
from azeotrope.sweeping.budget import Meter
from azeotrope.sweeping.plans.sweep_plan import SweepPlan
from azeotrope.sweeping.status import Unseen, View


def sweep(
    plan: SweepPlan | str | Path,
    *,
    out: str | Path,
    retry_failed: bool = False,
    track: str | Sequence[str] = (),
    progress: Progress | None = None,
    view: View | None = None,
    **machine: Unpack[Machine],
) -> Sweep:
    """Make the runs of `plan` (or of the YAML file it names) that `out`, a folder or fsspec URL, does not hold yet.

    It ends when all runs are made, when the plan's budget is spent, or, with `train_images: auto`, when it is clear
    which arm wins. A run that failed is made again with `retry_failed` only. Several sweeps may write to one `out` at
    the same time and divide the work. `track` is as in `compare`.

    `machine` is `Machine` by keyword. Raises InputError for a plan that cannot be
    carried out or whose budget is too small for one run, StoreError for an `out` that cannot be used.
    """
    plan, out, progress = read_plan(plan), expanded(out), progress or Silent()
    meter = Meter(plan.budget)
    with held(out):
        check_one_task(out)
        tracking = open_tracking(track, out, progress.note)
        opened = opened_aloud(plan, progress, machine)._replace(tracking=tracking)
        return carry_out(plan, opened, out, meter, retry_failed=retry_failed, view=view or Unseen())
