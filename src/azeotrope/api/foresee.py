"""`azeotrope.api.foresee`: the runs that a sweep would make and how long they would take. It makes none."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from azeotrope.record.storage.store import expanded
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweeps.sweep_setup import Foreseen, foreseen, opened_aloud, read_plan
from azeotrope.sweeping.plans.sweep_plan import SweepPlan


def foresee(
    plan: SweepPlan | str | Path, *, out: str | Path, progress: Progress | None = None, **machine: Unpack[Machine]
) -> Foreseen:
    """The runs of `plan` and how long they will take, from a trial of seconds. Nothing is written but the cache."""
    plan, out = read_plan(plan), expanded(out)
    return foreseen(plan, opened_aloud(plan, progress or Silent(), machine), out)
