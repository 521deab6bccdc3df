"""`azeotrope.foresee_tasks`: the runs that the sweeps of several tasks would make. It makes none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweep_setup import Foreseen, foreseen
from azeotrope.session.sweep_several import opened_tasks, tasks_of
from azeotrope.sweeping.tasks import Planned


def foresee_tasks(
    plans: Sequence[str | Path | Planned],
    *,
    out: str | Path,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Foreseen]:
    """The runs of every task and how long they will take, by the task's folder. Nothing is written but the cache."""
    opened = opened_tasks(tasks_of(plans), out, cache, progress or Silent())
    return {task.folder: foreseen(task.plan, grid) for task, _, grid in opened}
