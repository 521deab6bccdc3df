"""One training on disk: made once, resumed after a kill, found again by its content address.

A tuning trial and the run that uses its learning rate are the same training when their seed is the same; it is then
made once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from azeotrope.errors import RunFailed
from azeotrope.models.load import Loaded
from azeotrope.models.network import Network
from azeotrope.record.lock import locked
from azeotrope.record.store import cannot_write, write_atomically
from azeotrope.sweeping.pools import extra_of
from azeotrope.sweeping.resources import Resources
from azeotrope.sweeping.spec import RunSpec
from azeotrope.sweeping.taught import Taught
from azeotrope.train.dataset import StudentData
from azeotrope.train.evaluate import Score
from azeotrope.train.loop import Training
from azeotrope.train.stage import Stage


@dataclass(frozen=True)
class Trained:
    """What a finished training left. `failure` is set instead of a score when it could not be finished."""

    error: float | None
    cross_entropy: float | None
    best_epoch: int | None
    steps: int
    seconds: dict[str, float]
    failure: str | None = None

    @property
    def score(self) -> Score:
        """What validation said; the worst possible for a failure, so that tuning passes it over."""
        if self.error is None or self.cross_entropy is None:
            return Score(float("inf"), float("inf"))
        return Score(self.error, self.cross_entropy)


@dataclass(frozen=True)
class TrainingFolder:
    """`work/<digest>/`: checkpoint while it runs, weights and outcome when it is done."""

    path: Path

    @classmethod
    def of(cls, work: Path, spec: RunSpec) -> TrainingFolder:
        """The folder of this single training."""
        return cls(work / spec.digest())

    @property
    def checkpoint(self) -> Path:
        """Where the loop keeps its state."""
        return self.path / "checkpoint.pt"

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Hold the training: who else wants it waits, and then finds it done."""
        with ExitStack() as held:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(locked(self._lock))
            except OSError as error:
                raise cannot_write(self.path, error) from error
            yield

    def discard(self) -> None:
        """Delete the training unless somebody holds it; it is made again, bit-equal, if it is ever needed."""
        with suppress(BlockingIOError, FileNotFoundError), locked(self._lock, wait=False):
            shutil.rmtree(self.path, ignore_errors=True)
            with suppress(PermissionError):  # Windows removes no file that is open
                self._lock.unlink()

    @property
    def _lock(self) -> Path:
        return self.path.with_suffix(".lock")

    def outcome(self) -> Trained | None:
        """The outcome, or None when the training has not been finished."""
        file = self.path / "trained.json"
        return Trained(**json.loads(file.read_text())) if file.exists() else None

    def finish(self, trained: Trained, network: Network | None) -> None:
        """Keep weights first and outcome last: an outcome on disk means that all is there."""
        try:
            if network is not None:
                tensors = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
                write_atomically(self.path / "weights.safetensors", save_tensors(tensors))
            write_atomically(self.path / "trained.json", json.dumps(asdict(trained)))
            self.checkpoint.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def weights(self) -> dict[str, torch.Tensor]:
        """The best epoch's weights."""
        return load_tensors((self.path / "weights.safetensors").read_bytes())


def student_of(resources: Resources, spec: RunSpec) -> Loaded:
    """The student of a spec at its start (for `upstream`: random; the caller loads the body)."""
    classes = len(resources.tasks[spec.task].classes)
    return resources.student(spec.student, classes, spec.image_size, pretrained=spec.arm.init == "hub", seed=spec.seed)


def student_data(resources: Resources, spec: RunSpec, loaded: Loaded, taught: Taught | None) -> StudentData:
    """The task's images as this student sees them, with targets when a teacher is given."""
    return StudentData(
        pack=resources.pack(spec.task, spec.image_size),
        image_size=spec.image_size,
        preprocessing=loaded.preprocessing,
        policy=spec.recipe.policy,
        views=spec.recipe.views,
        device=resources.device.name,
        targets=taught.targets if taught else None,
        scale=resources.scale(spec.task, spec.train_images, spec.seed),
    )


def train_once(
    resources: Resources,
    spec: RunSpec,
    work: Path,
    *,
    start: dict[str, torch.Tensor] | None = None,
    taught: Taught | None = None,
    advance: Callable[[int], None] = lambda images: None,
) -> Trained:
    """Train the last stage of `spec`, which must have one learning rate; `start` is the body left by the stage before.

    A training that failed for a reason of its own (RunFailed) is an outcome too and is not tried again.
    """
    folder = TrainingFolder.of(work, spec)
    with folder.mine():
        return _train(resources, spec, folder, start, taught, advance)


def _train(
    resources: Resources,
    spec: RunSpec,
    folder: TrainingFolder,
    start: dict[str, torch.Tensor] | None,
    taught: Taught | None,
    advance: Callable[[int], None],
) -> Trained:
    stage = spec.stages()[-1]
    images = stage.recipe.steps(spec.train_images) * stage.recipe.batch_images
    if (done := folder.outcome()) is not None:
        advance(images)
        return done
    try:
        training = _prepare(resources, spec, stage, folder, start, taught)
        training.advance = advance
        progress = training.run()
    except RunFailed as failure:
        trained = Trained(None, None, None, 0, {}, failure=str(failure))
        folder.finish(trained, None)
        return trained
    trained = Trained(
        progress.best.error,
        progress.best.cross_entropy,
        progress.best_epoch,
        stage.recipe.steps(spec.train_images),
        progress.seconds,
    )
    folder.finish(trained, training.network)
    return trained


def _prepare(
    resources: Resources,
    spec: RunSpec,
    stage: Stage,
    folder: TrainingFolder,
    start: dict[str, torch.Tensor] | None,
    taught: Taught | None,
) -> Training:
    loaded = student_of(resources, spec)
    if stage.init == "previous":
        assert start is not None
        loaded.network.backbone.load_state_dict(start)
    rows = resources.rows(spec.task, spec.train_images, spec.seed)
    data = student_data(resources, spec, loaded, taught)
    data.pack.ensure(rows.train)
    data.pack.ensure(rows.val)
    if stage.needs_teacher:
        assert taught is not None
        taught.targets.cache.ensure(rows.train, range(stage.recipe.cached_views))
        data = replace(data, targets=replace(taught.targets, live=stage.recipe.live))
        data = replace(data, extra=extra_of(resources, spec, data))
    else:
        data = replace(data, targets=None)
    return Training(
        loaded.network, stage, spec.recipe.learning_rates[0], spec.seed, data, rows, resources.device, folder.checkpoint
    )
