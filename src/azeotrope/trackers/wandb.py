"""Weights & Biases, offline: a folder a run, which `wandb sync FOLDER/wandb/offline-run-*` sends if a person wants to.

Neither this machine nor its user is named in it, nor its packages, code or loads.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azeotrope.trackers._tracker import PROJECT, TrackedRun, Tracker, not_installed


def open_tracker(folder: Path) -> Tracker:
    """Offline runs in `folder/wandb/`. Raises MissingDependency."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read when it is imported
    try:
        import wandb
    except ImportError as error:
        raise not_installed("wandb", error) from error
    return _WandB(wandb, folder)


@dataclass(frozen=True)
class _WandB:
    wandb: Any
    folder: Path

    def known(self) -> set[str]:
        return {path.name.split("-", 3)[3] for path in (self.folder / "wandb").glob("offline-run-*-*")}

    def has(self, run_id: str) -> bool:
        return any((self.folder / "wandb").glob(f"offline-run-*-{run_id}"))

    def add(self, run: TrackedRun) -> None:
        """Beside its place first, so that a kill leaves no half of a run."""
        begun = self.folder / f".{run.run_id}"
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(parents=True)
        settings = self.wandb.Settings(
            mode="offline",
            root_dir=str(begun),
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            save_code=False,
            host="",
            username="",
            x_disable_meta=True,
            x_disable_stats=True,
            x_disable_machine_info=True,
            x_save_requirements=False,
        )
        made = self.wandb.init(
            project=PROJECT,
            id=run.run_id,
            name=run.name,
            config=dict(run.parameters),
            settings=settings,
            reinit="create_new",
        )
        for step, numbers in run.epochs.items():
            made.log(dict(numbers), step=step)
        for name, value in run.results.items():
            made.summary[name] = value
        made.finish()
        (whole,) = (begun / "wandb").glob(f"offline-run-*-{run.run_id}")
        shutil.rmtree(whole / "logs", ignore_errors=True)  # of wandb itself; they name folders of this machine
        (self.folder / "wandb").mkdir(exist_ok=True)
        whole.rename(self.folder / "wandb" / whole.name)
        shutil.rmtree(begun, ignore_errors=True)
