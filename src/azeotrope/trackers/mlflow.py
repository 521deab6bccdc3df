"""MLflow: an experiment in a SQLite file. To see it: `mlflow ui --backend-store-uri sqlite:///FOLDER/mlflow.db`."""

from __future__ import annotations

import itertools
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azeotrope.trackers._tracker import PROJECT, TrackedRun, Tracker, not_installed

_TAG = "azeotrope.run_id"
_AT_ONCE = 500  # metrics; the service takes 1,000 of all kinds
_PARAMETERS_AT_ONCE = 100


def open_tracker(folder: Path) -> Tracker:
    """The experiment `azeotrope` in `folder/mlflow.db`. Raises MissingDependency."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported
    try:
        import alembic  # noqa: F401
        import sqlalchemy  # noqa: F401
        from mlflow import MlflowClient
    except ImportError as error:
        raise not_installed("mlflow", error) from error
    client = MlflowClient(tracking_uri=f"sqlite:///{folder.resolve().as_posix()}/mlflow.db")
    found = client.get_experiment_by_name(PROJECT)
    artifacts = (folder.resolve() / "artifacts").as_uri()
    return _MLflow(client, found.experiment_id if found else client.create_experiment(PROJECT, artifacts))


@dataclass(frozen=True)
class _MLflow:
    client: Any
    experiment: str

    def has(self, run_id: str) -> bool:
        """One that a kill left unfinished is removed."""
        found = self.client.search_runs([self.experiment], f"tags.`{_TAG}` = '{run_id}'")
        for run in found:
            if run.info.status != "FINISHED":
                self.client.delete_run(run.info.run_id)
        return any(run.info.status == "FINISHED" for run in found)

    def add(self, run: TrackedRun) -> None:
        from mlflow.entities import Metric, Param

        now = int(1000 * time.time())
        made = self.client.create_run(self.experiment, start_time=now, tags={_TAG: run.run_id}, run_name=run.name)
        steps = [*enumerate(run.epochs), (len(run.epochs), run.results)]
        metrics = [Metric(_named(name), value, now, step) for step, each in steps for name, value in each.items()]
        parameters = [Param(_named(name), str(value)) for name, value in run.parameters.items()]
        for some in _parts(parameters, _PARAMETERS_AT_ONCE):
            self.client.log_batch(made.info.run_id, params=some)
        for some in _parts(metrics, _AT_ONCE):
            self.client.log_batch(made.info.run_id, metrics=some)
        self.client.set_terminated(made.info.run_id)  # last: only a finished one counts


def _named(name: str) -> str:
    """A name that it takes: `loss/kl(T=1)` is `loss/kl_T_1_`."""
    return re.sub(r"[^\w\-./ ]", "_", name)


def _parts(items: list[Any], size: int) -> list[list[Any]]:
    return [list(itertools.islice(items, start, start + size)) for start in range(0, len(items), size)]
