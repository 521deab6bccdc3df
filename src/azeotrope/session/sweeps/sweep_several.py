"""What `sweep_tasks` and `foresee_tasks` share: the tasks of several plans, opened, held, and put into one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from azeotrope.analysis.comparisons import compared
from azeotrope.errors import InputError, StoreError
from azeotrope.record.storage.claim import PLAN
from azeotrope.record.storage.store import RunStore
from azeotrope.reporting.texts.by_task import TaskTable, by_task
from azeotrope.session.opening import Opened
from azeotrope.session.options import Machine
from azeotrope.session.progress import Progress
from azeotrope.session.sweeps.sweep_run import held
from azeotrope.session.sweeps.sweep_setup import opened_aloud
from azeotrope.sweeping.plans.tasks import Planned, content_of, planned


class OpenTask(NamedTuple):
    """A task, the folder or URL of its store, and its plan opened and checked."""

    task: Planned
    out: str
    opened: Opened


def tasks_of(plans: Sequence[str | Path | Planned]) -> tuple[Planned, ...]:
    """The tasks of plans that are named, beside those that are taken apart already."""
    ready = [plan for plan in plans if isinstance(plan, Planned)]
    named = {str(plan): content_of(str(plan)) for plan in plans if not isinstance(plan, Planned)}
    return (*ready, *planned(named))


def table_of(out: str | Path, folders: Sequence[str]) -> TaskTable:
    """The table of these tasks, of which some may have no records."""
    stores = [f"{out}/{folder}" for folder in folders]
    return by_task([item for store in stores if RunStore(store).names("runs") for item in compared(store)])


@contextmanager
def held_root(out: str | Path) -> Iterator[None]:
    """Hold the folder; one with runs of its own is a single task's."""
    with held(out):
        if RunStore(str(out)).read(PLAN) is not None:
            raise StoreError(
                f"The folder {out} holds the runs of one task, so several cannot go into it",
                found=f"{PLAN} in it",
                next_step="choose another folder with --out; the runs are untouched",
            )
        yield


def opened_tasks(tasks: Sequence[Planned], out: str | Path, progress: Progress, machine: Machine) -> Iterator[OpenTask]:
    """Read the images of every task and resolve its plan. Raises InputError that names the task."""
    for task in tasks:
        folder = f"{str(out).rstrip('/')}/{task.folder}"
        try:
            yield OpenTask(task, folder, opened_aloud(task.plan, progress, machine))
        except InputError as refusal:
            raise InputError(
                f"Task {task.folder}: {refusal.rule}",
                found=refusal.found,
                allowed=refusal.allowed,
                next_step=refusal.next_step,
            ) from refusal
