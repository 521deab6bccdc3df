"""Trackio: a SQLite file, written by its own storage without its server.

To see it: `TRACKIO_DIR=FOLDER trackio show`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azeotrope.errors import StoreError
from azeotrope.trackers._tracker import PROJECT, TrackedRun, Tracker, not_installed

_FOLDER = "TRACKIO_DIR"


def open_tracker(folder: Path) -> Tracker:
    """The project `azeotrope` in `folder`. Raises MissingDependency, and StoreError where this process has another."""
    before = os.environ.get(_FOLDER)
    os.environ[_FOLDER] = str(folder)
    try:
        from trackio import sqlite_storage
    except ImportError as error:
        raise not_installed("trackio", error) from error
    finally:
        os.environ.pop(_FOLDER)
        if before is not None:
            os.environ[_FOLDER] = before
    if folder != sqlite_storage.TRACKIO_DIR:
        raise StoreError(
            "The tracker trackio has one folder in a process",
            found=f"{folder}, and {sqlite_storage.TRACKIO_DIR} since it was imported",
            next_step="give that folder, or use another process",
        )
    return _Trackio(sqlite_storage.SQLiteStorage)


@dataclass(frozen=True)
class _Trackio:
    storage: Any

    def known(self) -> set[str]:
        return {run["id"] for run in self.storage.get_run_records(PROJECT)}

    def has(self, run_id: str) -> bool:
        return run_id in self.known()

    def add(self, run: TrackedRun) -> None:
        """In one transaction."""
        numbers = [dict(each) for each in run.epochs.values()]
        self.storage.bulk_log(
            PROJECT,
            run.name,
            [*numbers, dict(run.results)],
            steps=[*run.epochs, run.ended],
            config=dict(run.parameters),
            run_id=run.run_id,
        )
