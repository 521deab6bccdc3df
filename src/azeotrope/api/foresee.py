"""`azeotrope.api.foresee`: the runs that a sweep would make and how long they would take. It makes none."""

from __future__ import annotations

from pathlib import Path

from azeotrope.record.store import expanded
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweep_setup import Foreseen, foreseen, open_sweep, read_plan
from azeotrope.sweeping.sweep_plan import SweepPlan


def foresee(
    plan: SweepPlan | str | Path, *, out: str | Path, cache: Path | None = None, progress: Progress | None = None
) -> Foreseen:
    """The runs of `plan` and how long they will take, from a trial of seconds. Nothing is written but the cache."""
    plan, out = read_plan(plan), expanded(out)
    return foreseen(plan, open_sweep(plan, out, cache, progress or Silent()))
