"""Where one training is kept: its state while it runs, its weights and outcome when it is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from azeotrope.models.network import Network
from azeotrope.record.storage.lock import locked
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.record.storage.training_curve import Curve, Epoch
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.evaluate import Score


@dataclass(frozen=True)
class Trained:
    """What a finished training left. `failure` is set instead of a score when it could not be finished; `curve` then
    holds the epochs before. `skipped` are the steps whose gradients overflowed; None where gradients are not scaled.
    """

    error: float | None
    cross_entropy: float | None
    best_epoch: int | None
    steps: int
    seconds: dict[str, float]
    failure: str | None = None
    joules: dict[str, float] | None = None
    curve: Curve = ()
    skipped: int | None = None

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
        if not file.exists():
            return None
        content = json.loads(file.read_text(encoding="utf-8"))
        return Trained(**content | {"curve": tuple(Epoch(**each) for each in content.get("curve", []))})

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
