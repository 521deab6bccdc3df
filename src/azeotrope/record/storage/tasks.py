"""Which folders below an output folder hold the tasks of one sweep over several: `tasks.json`.

Each task has a store of its own, since a store holds runs of one labelled set; this file is what joins them.
"""

from __future__ import annotations

import json

from pydantic import ValidationError

from azeotrope.errors import InputError, message_of
from azeotrope.record.facts import Facts
from azeotrope.record.storage.store import RunStore

TASKS = "tasks.json"


class TaskFolder(Facts):
    """A task of a sweep over several: the folder of its store below the output folder, and where its images are."""

    folder: str
    data: str


def keep_tasks(store: RunStore, tasks: tuple[TaskFolder, ...]) -> None:
    """Write `tasks.json`; tasks of earlier sweeps into this folder stay listed. Raises StoreError, or InputError for a
    file that cannot be read.
    """
    earlier = {task.folder: task for task in read_tasks(store)}
    every = {**earlier, **{task.folder: task for task in tasks}}
    content = {"tasks": [task.model_dump(mode="json") for task in every.values()]}
    store.write(TASKS, json.dumps(content, indent=1, ensure_ascii=False).encode())


def read_tasks(store: RunStore) -> tuple[TaskFolder, ...]:
    """The tasks below a folder; none when it holds one store, or nothing. Raises InputError for a file that is not
    ours.
    """
    content = store.read(TASKS)
    if content is None:
        return ()
    try:
        return tuple(TaskFolder.model_validate(task) for task in json.loads(content)["tasks"])
    except (ValueError, ValidationError, KeyError, TypeError) as error:
        raise InputError(
            f"The file {store.root}/{TASKS} cannot be read",
            found=message_of(error),
            next_step="move it away, and give the command again that made it",
        ) from error
