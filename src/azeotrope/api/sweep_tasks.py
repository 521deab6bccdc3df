"""`azeotrope.sweep_tasks`: the sweeps of several tasks, one after another, into one folder and one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from azeotrope.api.progress import Progress, Silent
from azeotrope.api.report import compared
from azeotrope.api.sweep import Foreseen, Opened, Sweep, carry_out, foreseen, held, open_plan
from azeotrope.errors import InputError, StoreError
from azeotrope.record.claim import PLAN
from azeotrope.record.store import RunStore
from azeotrope.record.tasks import TaskFolder, keep_tasks
from azeotrope.reporting.by_task import TaskTable, by_task
from azeotrope.sweeping.budget import Budget, BudgetTooSmall, Meter
from azeotrope.sweeping.status import Unseen, View
from azeotrope.sweeping.tasks import Planned, content_of, planned


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


class _Open(NamedTuple):
    task: Planned
    out: str
    opened: Opened


def sweep_tasks(
    plans: Sequence[str | Path | Planned],
    *,
    out: str | Path,
    cache: Path | None = None,
    budget: Budget | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
    view: View | None = None,
) -> SweptTasks:
    """Make the runs of several plan files, of plans whose `data` is a list, or of both. Each task is a sweep of its own
    in a folder below `out`, and may be given again, alone or with others; everything is checked before the first run.

    `budget` is for the whole call; without it, each plan's is for its own tasks. A task may spend an equal share of what
    is left when its turn comes, so what one does not need the next ones have. Raises InputError for a plan that cannot be
    carried out, naming the task, and StoreError for an `out` that cannot be used.
    """
    tasks = tasks_of(plans)
    root = RunStore(str(out))
    with _held(out, root):
        meters = {task.asked: Meter(budget or task.plan.budget) for task in tasks}
        whole = Meter(budget) if budget else None
        keep_tasks(root, tuple(TaskFolder(folder=task.folder, data=task.plan.data) for task in tasks))
        waiting = list(_opened(tasks, out, cache, progress or Silent()))
        made, not_begun = dict[str, Sweep](), dict[str, str]()
        while waiting:
            now = waiting[0]
            sharing = len(waiting) if whole else sum(each.task.asked == now.task.asked for each in waiting)
            share = _share(whole or meters[now.task.asked], sharing)
            del waiting[0]
            if share is None:
                not_begun[now.task.folder] = "the budget is spent"
                continue
            try:
                with held(now.out):
                    plan = now.task.plan.model_copy(update={"budget": share})
                    sweep = carry_out(
                        plan, now.opened, now.out, Meter(share), retry_failed=retry_failed, view=view or Unseen()
                    )
            except BudgetTooSmall as refusal:
                not_begun[now.task.folder] = str(refusal)
                continue
            made[now.task.folder] = sweep
            (whole or meters[now.task.asked]).runs += sweep.made
    return SweptTasks(str(out), made, not_begun, table_of(out, [task.folder for task in tasks]))


def foresee_tasks(
    plans: Sequence[str | Path | Planned],
    *,
    out: str | Path,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Foreseen]:
    """The runs of every task and how long they will take, by the task's folder. Nothing is written but the cache."""
    opened = _opened(tasks_of(plans), out, cache, progress or Silent())
    return {task.folder: foreseen(task.plan, grid) for task, _, grid in opened}


def tasks_of(plans: Sequence[str | Path | Planned]) -> tuple[Planned, ...]:
    """The tasks of plans that are named, beside those that are taken apart already."""
    ready = [plan for plan in plans if isinstance(plan, Planned)]
    named = {str(plan): content_of(str(plan)) for plan in plans if not isinstance(plan, Planned)}
    return (*ready, *planned(named))


def table_of(out: str | Path, folders: Sequence[str]) -> TaskTable:
    """The table of these tasks, of which some may have no records."""
    stores = [f"{out}/{folder}" for folder in folders]
    return by_task([item for store in stores if RunStore(store).names("runs") for item in compared(store)])


def _share(meter: Meter, parts: int) -> Budget | None:
    return meter.budget.share(parts, meter.spent_seconds, meter.runs)


@contextmanager
def _held(out: str | Path, root: RunStore) -> Iterator[None]:
    """Hold the folder; one with runs of its own is a single task's."""
    with held(out):
        if root.read(PLAN) is not None:
            raise StoreError(
                f"The folder {out} holds the runs of one task, so several cannot go into it",
                found=f"{PLAN} in it",
                next_step="choose another folder with --out; the runs are untouched",
            )
        yield


def _opened(tasks: Sequence[Planned], out: str | Path, cache: Path | None, progress: Progress) -> Iterator[_Open]:
    """Read the images of every task and resolve its plan. Raises InputError that names the task."""
    for task in tasks:
        folder = f"{str(out).rstrip('/')}/{task.folder}"
        try:
            yield _Open(task, folder, open_plan(task.plan, folder, cache, progress))
        except InputError as refusal:
            raise InputError(
                f"Task {task.folder}: {refusal.rule}",
                found=refusal.found,
                allowed=refusal.allowed,
                next_step=refusal.next_step,
            ) from refusal
