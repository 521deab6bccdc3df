"""`azeotrope.foresee_tasks`: the runs that the sweeps of several tasks would make. It makes none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweeps.sweep_setup import Foreseen, foreseen
from azeotrope.session.sweeps.sweep_several import opened_tasks, tasks_of
from azeotrope.sweeping.plans.tasks import Planned


def foresee_tasks(
    plans: Sequence[str | Path | Planned],
    *,
    out: str | Path,
    progress: Progress | None = None,
    **machine: Unpack[Machine],
) -> dict[str, Foreseen]:
    """The runs of every task and how long they will take, by the task's folder. Nothing is written but the cache."""
    opened = opened_tasks(tasks_of(plans), out, progress or Silent(), machine)
    return {task.folder: foreseen(task.plan, grid, folder) for task, folder, grid in opened}
