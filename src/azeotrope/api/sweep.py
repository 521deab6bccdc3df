"""`azeotrope.sweep`: make the runs of a plan, within a budget, safe to kill and start again."""

from __future__ import annotations

from pathlib import Path

from azeotrope.record.store import expanded
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweep_run import Sweep, carry_out, held
from azeotrope.session.sweep_setup import check_one_task, open_sweep, read_plan
from azeotrope.sweeping.budget import Meter
from azeotrope.sweeping.status import Unseen, View
from azeotrope.sweeping.sweep_plan import SweepPlan


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
    plan, out = read_plan(plan), expanded(out)
    meter = Meter(plan.budget)
    with held(out):
        check_one_task(out)
        opened = open_sweep(plan, out, cache, progress or Silent())
        return carry_out(plan, opened, out, meter, retry_failed=retry_failed, view=view or Unseen())
