"""Pre-trainings between machines that share no folder: through the store of the records.

An upstream student is pre-trained once and serves many runs. On one machine they find it in the work folder; another
machine would make it again. What is carried is small: the weights of a student and what validation said of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from azeotrope.record.storage.store import write_atomically
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.runs.training_folder import TrainingFolder
from azeotrope.sweeping.spec import RunSpec

FILES = ("weights.safetensors", "trained.json")  # the outcome last: where it is, all is there


def fetch(runner: Runner, spec: RunSpec) -> None:
    """Bring the pre-trainings that this run may start from, where they are made and not here."""
    for training in pretrainings(spec):
        folder = TrainingFolder.of(runner.work, training)
        if folder.outcome() is not None:
            continue
        contents = {name: runner.store.read(_name(training, name)) for name in FILES}
        if contents[FILES[-1]] is None:
            continue
        for name, content in contents.items():
            if content is not None:  # a training that failed has no weights
                write_atomically(folder.path / name, content)


def keep(runner: Runner, spec: RunSpec) -> None:
    """Leave the pre-trainings of this run in the store, unless they are there."""
    for training in pretrainings(spec):
        folder = TrainingFolder.of(runner.work, training)
        if folder.outcome() is None or is_kept(runner, training):
            continue
        for name in FILES:
            if (folder.path / name).exists():
                runner.store.write(_name(training, name), (folder.path / name).read_bytes())


def pretrainings(spec: RunSpec) -> Iterator[RunSpec]:
    """Each training that choosing and making the upstream student of this run may take; none without upstream."""
    if spec.upstream is None:
        return
    pretraining = spec.pretraining()
    for rate in pretraining.recipe.learning_rates:
        for seed in sorted({spec.tuning_seed, spec.seed}):
            yield pretraining.trial(rate, seed)


def is_kept(runner: Runner, training: RunSpec) -> bool:
    """Whether the store has this training."""
    return runner.store.read(_name(training, FILES[-1])) is not None


def _name(training: RunSpec, file: str) -> str:
    return f"pretrained/{training.digest()}/{file}"
