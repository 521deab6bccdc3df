"""What a tracker is, and what it is told of a run: the same for all.

A member exposes `open_tracker(folder) -> Tracker`. Its package is imported there and nowhere else, so that one that is
not installed costs nothing. It is told of a run once that has its record, so that it never slows a training, and a
worker that is killed leaves no half of a run in it. Of the environment it is told nothing, and of a file
its name and not its folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from azeotrope.errors import MissingDependency
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.training_curve import FIRST, LOSS, Curve

PROJECT = "azeotrope"
_BY_CLASS = {"class_weights"}  # its keys are a person's class names, of any number and with any letters
_FILES = {"task", "student", "teacher", "metric"}  # may name a person's files; an arm's `@` and `/` are its own
_MODELS = re.compile(r"\+(?![^:@]*[/\\])")  # between the models of an ensemble, and not inside a path
_FOLDERS = re.compile(r"((?:^|:)(?=[/\\~]|\.\.?[/\\]|[A-Za-z]:[/\\])|^(?:file|exported):).*[/\\]")
Parameter = str | int | float | bool


@dataclass(frozen=True)
class TrackedRun:
    """A finished run: what determined it, the numbers of each epoch by its number, and what came out.

    Names of numbers are those of the curve and the record; the terms of the loss are `loss/KEY`, and the validation
    error that the run stands on is `best_val_error`.
    """

    run_id: str
    name: str
    parameters: Mapping[str, Parameter]
    epochs: Mapping[int, Mapping[str, float]]
    results: Mapping[str, float]

    @property
    def ended(self) -> int:
        """The step after the last epoch."""
        return max(self.epochs, default=-1) + 1


class Tracker(Protocol):
    """A place that shows runs. What it raises, of whatever kind, ends the tracking and not the training."""

    def known(self) -> set[str]:
        """The ids of the runs that it holds whole: read once, when it is opened."""

    def has(self, run_id: str) -> bool:
        """Whether it holds this run whole."""

    def add(self, run: TrackedRun) -> None:
        """Hold this run, whole or not at all; `has` said no."""


def tracked(record: RunRecord, curve: Curve) -> TrackedRun:
    """A finished run as trackers are told of it; without a curve it has no epochs."""
    teacher = record.teacher.called if record.teacher else ""
    student = without_folders(record.student.name).removeprefix("timm:")
    asked: dict[str, JsonValue] = {
        "run_id": record.run_id,
        "task": record.task.name,
        "arm": record.arm,
        "strategy": record.strategy,
        "init": record.init,
        "losses": {key: list(each) if isinstance(each, tuple) else each for key, each in record.losses.items()},
        "student": record.student.name,
        "student_parameters": record.student.parameters,
        "teacher": teacher,
        "train_images": record.train_images,
        "pretrain_images": record.pretrain_images,
        "seed": record.seed,
        "fold": f"{record.fold.number} of {record.fold.of}" if record.fold else None,
        "learning_rate": record.tuning.chosen if record.tuning else None,
        "recipe": record.recipe,
    }
    results = {
        "test_error": record.test_error,
        "best_val_error": record.val_error,
        "test_nll": record.test_nll,
        "seconds": sum(record.seconds.values()),
        "peak_memory_mb": record.peak_memory_mb,
    }
    return TrackedRun(
        record.run_id,
        f"{record.arm}, {student}, {record.train_images} images, seed {record.seed}"
        + (f", fold {record.fold.number}" if record.fold else ""),
        dict(_flat(asked)),
        {
            each.epoch: _known({_tag(name): value for name, value in each.row().items() if name != FIRST[0]})
            for each in curve
        },
        _known(results),
    )


def without_folders(text: str) -> str:
    """A name of models or of a measure with the base names of its files: `file:m.py:f@w.pth` for
    `file:/home/alice/m.py:f@/mnt/w.pth`. Names of hubs and packages stay as they are.
    """
    return "+".join(map(_base_names, _MODELS.split(text)))


def not_installed(name: str, error: ImportError) -> MissingDependency:
    """The error for a tracker whose package is not there."""
    return MissingDependency(
        f"The tracker {name} comes as a Python package of its own",
        found=f"{error.name or name} is not installed",
        next_step=f'pip install "azeotrope[{name}]"',
    )


def _base_names(text: str) -> str:
    name, at, weights = text.rstrip("/\\").partition("@")
    file = weights if weights.startswith("package:") else re.split(r"[/\\]", weights)[-1]
    return _FOLDERS.sub(r"\1", name) + at + file


def _tag(column: str) -> str:
    return f"loss/{column.removeprefix(LOSS)}" if column.startswith(LOSS) else column


def _known(numbers: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if value is not None}


def _flat(values: Mapping[str, JsonValue], above: str = "") -> Iterator[tuple[str, Parameter]]:
    """Fields of fields by dots, as `recipe.policy.mirror`; a list, and what is told by class, as its JSON; what is not
    there is left out.
    """
    for name, value in values.items():
        if isinstance(value, list) or (isinstance(value, Mapping) and name in _BY_CLASS):
            yield f"{above}{name}", json.dumps(value, ensure_ascii=False)
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif value is not None and value != "":
            yield f"{above}{name}", without_folders(value) if isinstance(value, str) and name in _FILES else value
