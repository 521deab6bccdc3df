"""`azeotrope.sweep_tasks`: the sweeps of several tasks, one after another, into one folder and one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.tasks import TaskFolder, keep_tasks
from azeotrope.reporting.texts.by_task import TaskTable
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweeps.sweep_run import Sweep, carry_out, held
from azeotrope.session.sweeps.sweep_several import OpenTask, held_root, opened_tasks, table_of, tasks_of
from azeotrope.session.tracking import open_tracking
from azeotrope.sweeping.budget import Budget, BudgetTooSmallError, Meter
from azeotrope.sweeping.plans.tasks import Planned
from azeotrope.sweeping.status import Unseen, View


@dataclass(frozen=True)
class SweptTasks:
    """What was done for each task, by its folder in `out`; why a task was not begun; and the table of all of them."""

    out: str
    tasks: dict[str, Sweep]
    not_begun: dict[str, str]
    table: TaskTable

    @property
    def every_run_failed(self) -> bool:
        """Whether there were runs to make, and none of any task is done."""
        return any(task.planned for task in self.tasks.values()) and not any(task.done for task in self.tasks.values())


def sweep_tasks(
    plans: Sequence[str | Path | Planned],
    *,
    out: str | Path,
    budget: Budget | None = None,
    retry_failed: bool = False,
    track: str | Sequence[str] = (),
    progress: Progress | None = None,
    view: View | None = None,
    **machine: Unpack[Machine],
) -> SweptTasks:
    """Make the runs of several plan files, of plans whose `data` is a list, or of both. Each task is a sweep of its own
    in a folder below `out`, and may be given again, alone or with others; everything is checked before the first run.

    `budget` is for the whole call; without it, each plan's is for its own tasks. A task may spend an equal share of
    what is left when its turn comes, so what one does not need the next ones have. `track` is as in `compare`: runs of
    all tasks go to one place. `machine` is `Machine` by keyword.
    Raises InputError for a plan that cannot be carried out, naming the task, and StoreError for an `out` that cannot be
    used.
    """
    tasks, whole, progress = tasks_of(plans), Meter(budget) if budget else None, progress or Silent()
    with held_root(out):
        tracking = open_tracking(track, out, progress.note)
        opened = [
            each._replace(opened=each.opened._replace(tracking=tracking))
            for each in opened_tasks(tasks, out, progress, machine)
        ]
        keep_tasks(RunStore(str(out)), tuple(TaskFolder(folder=task.folder, data=task.plan.data) for task in tasks))
        made, not_begun, own = dict[str, Sweep](), dict[str, str](), dict[str, Meter]()
        for place, now in enumerate(opened):
            meter = whole or own.setdefault(now.task.asked, Meter(now.task.plan.budget))
            sharing = [later for later in opened[place:] if whole or later.task.asked == now.task.asked]
            try:
                sweep = _swept(now, meter, len(sharing), retry_failed=retry_failed, view=view or Unseen())
            except BudgetTooSmallError as refusal:
                not_begun[now.task.folder] = str(refusal)
            else:
                made[now.task.folder] = sweep
                meter.runs += sweep.made
    return SweptTasks(str(out), made, not_begun, table_of(out, [task.folder for task in tasks]))


def _swept(now: OpenTask, meter: Meter, sharing: int, *, retry_failed: bool, view: View) -> Sweep:
    """The sweep of one task with its share of what is left. Raises BudgetTooSmallError where that buys no run."""
    share = meter.budget.share(sharing, meter.spent_seconds, meter.runs)
    if share is None:
        raise BudgetTooSmallError("The budget is spent", next_step="run the same command again: it resumes")
    plan = now.task.plan.model_copy(update={"budget": share})
    with held(now.out):
        return carry_out(plan, now.opened, now.out, Meter(share), retry_failed=retry_failed, view=view)
