"""MLflow: an experiment in a SQLite file. To see it: `mlflow ui --backend-store-uri sqlite:///FOLDER/mlflow.db`."""

from __future__ import annotations

import hashlib
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
_RUNS_AT_ONCE = 1000
_MOST_NAME, _MOST_TEXT = 250, 6000  # letters that it takes


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

    def known(self) -> set[str]:
        found = set[str]()
        token: str | None = None
        while True:
            page = self.client.search_runs(
                [self.experiment], "attributes.status = 'FINISHED'", max_results=_RUNS_AT_ONCE, page_token=token
            )
            found.update(run.data.tags[_TAG] for run in page if _TAG in run.data.tags)
            if not (token := page.token):
                return found

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
        steps = [*run.epochs.items(), (run.ended, run.results)]
        metrics = [Metric(_named(name), value, now, step) for step, each in steps for name, value in each.items()]
        parameters = [Param(_named(name), str(value)[:_MOST_TEXT]) for name, value in run.parameters.items()]
        for some in _parts(parameters, _PARAMETERS_AT_ONCE):
            self.client.log_batch(made.info.run_id, params=some)
        for some in _parts(metrics, _AT_ONCE):
            self.client.log_batch(made.info.run_id, metrics=some)
        self.client.set_terminated(made.info.run_id)  # last: only a finished one counts


def _named(name: str) -> str:
    """A name that it takes. Where letters must change, or are too many, a hash of all of them keeps two names apart:
    `loss/kl(T=1)` is `loss/kl_T_1_-` and eight digits.
    """
    taken = re.sub(r"[^\w\-./ ]", "_", name)
    if taken == name and len(name) <= _MOST_NAME:
        return name
    digits = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{taken[: _MOST_NAME - 9]}-{digits}"


def _parts(items: list[Any], size: int) -> list[list[Any]]:
    return [list(itertools.islice(items, start, start + size)) for start in range(0, len(items), size)]
