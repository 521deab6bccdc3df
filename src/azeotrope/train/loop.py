"""The one training loop. Every strategy runs through it; it is never forked.

It trains one stage at one learning rate and keeps the epoch that validation likes best, or the average of the weights
where the recipe asks for one. After a kill it goes on from its last checkpoint to the same result as an unbroken run.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from azeotrope.data.host_batch import HostBatch
from azeotrope.devices.ahead import ahead, in_turn
from azeotrope.devices.device import Device
from azeotrope.kinds._balance import balance_of
from azeotrope.losses._contract import Setup, WeightedSum, build
from azeotrope.models.network import Network
from azeotrope.record.machine import energy
from azeotrope.record.storage.training_curve import Epoch
from azeotrope.train import checkpoint
from azeotrope.train.average import Average
from azeotrope.train.dataset import StudentData
from azeotrope.train.evaluate import Score, validate
from azeotrope.train.faults import require_finite, require_taken_steps
from azeotrope.train.optimizer import build_optimizer, rate_factor, set_rate
from azeotrope.train.parallel.batch_norm import require_seen
from azeotrope.train.parallel.processes import ALONE, Processes
from azeotrope.train.prepare import Batch, Prepare
from azeotrope.train.stage import Stage
from azeotrope.train.step import Step

CHECKPOINT_SECONDS = 5.0  # an interruption costs at most an epoch, or this much where epochs are shorter

_Left = TypeVar("_Left")


@dataclass(frozen=True)
class Rows:
    """Rows of the task that train, and rows that validate."""

    train: NDArray[np.int64]
    val: NDArray[np.int64]


@dataclass
class Progress:
    """Where a training stands between two epochs. `seconds` accumulates over interruptions; `curve` has an entry for
    each epoch that ended well; `skipped` counts steps whose gradients overflowed float16.
    """

    epoch: int = 0
    best: Score = field(default_factory=lambda: Score(float("inf"), float("inf")))
    best_epoch: int = -1
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=lambda: {"train": 0.0, "evaluate": 0.0})
    joules: dict[str, float] | None = field(default_factory=lambda: {"train": 0.0, "evaluate": 0.0})
    curve: list[Epoch] = field(default_factory=list)
    skipped: int = 0


@dataclass
class Training:
    """One stage being trained at one learning rate. `run` leaves the best epoch, or the average, in `network`.

    With several `processes`, each trains on its share of every batch and ends with the same weights; the one that leads
    gives the others what it starts from, judges, and writes the checkpoints.
    """

    network: Network
    stage: Stage
    learning_rate: float
    seed: int
    data: StudentData
    rows: Rows
    device: Device
    file: Path
    advance: Callable[[int], None] = lambda images: None
    processes: Processes = ALONE

    def __post_init__(self) -> None:
        targets, self.prepare = self.data.targets, Prepare(self.data, self.device)
        recipe, classes = self.stage.recipe, self.data.images.pack.task.classes
        shown = self.data.labels_shown(self.rows.train, recipe.batch_images)
        setup = Setup(
            student_features=self.network.head.in_features,
            teacher_features=targets.cache.teacher.features if targets else 0,
            classes=self.network.head.out_features,
            label_smoothing=recipe.label_smoothing,
            train_images=len(self.rows.train) + (len(self.data.extra.rows) if self.data.extra else 0),
            teacher_head=self.prepare.teacher.head.logits if self.prepare.teacher else None,
            kind=self.data.kind,
            balance=balance_of(recipe, self.data.kind, classes, shown),
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)  # projectors start alike in every arm that has them
            self.losses: WeightedSum = build(self.stage.losses, setup).to(self.device.name)
        if self.processes.count > 1:
            require_seen(self.network)
        self.device.place(self.network)
        parts = self.stage.recipe.accumulate
        self.step = Step(self.network, self.losses, self.device, self.processes, parts)
        self.optimizer = build_optimizer(self.network, self.losses, self.stage, self.learning_rate)
        self.steps = self.stage.recipe.steps(len(self.rows.train))
        self.per_epoch = self.stage.recipe.steps_per_epoch(len(self.rows.train))
        share = self.stage.recipe.weight_average
        self.average = Average.of(self.network, share, self.steps) if share else None
        self.progress = Progress()
        self._overflows: list[Tensor] = []

    def run(self) -> Progress:
        """Train all epochs. Raises RunFailed, naming step and losses, when a loss is not finite."""
        self._resume()
        if self.device.compiles:
            self._timed("compile", self._compile, self.progress.epoch)
        saved_at = time.perf_counter()
        for epoch in range(self.progress.epoch, self.stage.recipe.epochs):
            before = self.progress.seconds["train"]
            values = self._timed("train", self._train_epoch, epoch)
            seconds = self.progress.seconds["train"] - before
            judged = self.average is None or epoch + 1 == self.stage.recipe.epochs
            score = self._timed("evaluate", self._judge, epoch) if judged else None
            self.progress.curve.append(self._left_by(epoch, values, seconds, score))
            self.progress.epoch = epoch + 1
            if self.processes.leads and time.perf_counter() - saved_at > CHECKPOINT_SECONDS:
                checkpoint.save(self.file, self._state())
                saved_at = time.perf_counter()
        self.network.load_state_dict(self.progress.best_weights)
        return self.progress

    def _compile(self, epoch: int) -> None:
        """What compiling takes shows in the first step that takes this way: this one, which leaves nothing."""
        self._set_mode()
        hosts = self.data.epoch(self.rows.train, self.stage.recipe.batch_images, self.seed, epoch)
        with closing(in_turn(hosts, self.device, self.prepare)) as batches:
            self.step.try_out(next(batches))

    def _set_mode(self) -> None:
        """A frozen body's BatchNorm statistics must not move, nor those that a stage keeps."""
        self.network.train(self.stage.trains == "all")
        if self.stage.keeps_statistics:
            for module in self.network.modules():
                if isinstance(module, BatchNorm):
                    module.eval()

    def _train_epoch(self, epoch: int) -> Float[Tensor, "steps losses"]:
        """The losses of its steps, on the host. Raises RunFailed."""
        self._set_mode()
        recipe, first = self.stage.recipe, epoch * self.per_epoch
        stream = (self.seed * 1_000_003 + epoch) * self.processes.count + self.processes.rank
        torch.manual_seed(stream)  # dropout, where a model has any
        share = self.processes.share(recipe.batch_images)
        values = []
        hosts = self.data.epoch(self.rows.train, recipe.batch_images, self.seed, epoch, share)
        with closing(self.batches(hosts)) as batches:
            for step, batch in enumerate(itertools.islice(batches, self.steps - first), start=first):
                set_rate(self.optimizer, self.learning_rate * rate_factor(step, self.steps, recipe))
                values.append(self._step(batch, (step + 1) / self.steps))
                if self.average is not None:
                    self.average.add(step)
                self.advance(recipe.batch_images)
        self.processes.agree(self.network)
        here = torch.stack(values).cpu()  # once an epoch, so that the loop itself never waits for the device
        measured: Tensor = self.processes.told(here)  # cards may differ in the last bit, and so in what is finite
        require_finite(measured, self.losses.names, first, self.learning_rate)
        self._count_skipped(first + len(values))
        return measured

    def _left_by(self, epoch: int, values: Float[Tensor, "steps losses"], seconds: float, score: Score | None) -> Epoch:
        recipe, first = self.stage.recipe, epoch * self.per_epoch
        done, means = first + len(values), values.double().mean(dim=0).tolist()
        return Epoch(
            epoch=epoch,
            learning_rate=self.learning_rate * rate_factor(done - 1, self.steps, recipe),
            images_per_second=len(values) * recipe.batch_images / seconds,
            loss=self.losses.mean_total(values, torch.arange(first + 1, done + 1) / self.steps),
            losses=dict(zip(self.losses.names, means, strict=True)),
            val_error=score.error if score else None,
            val_loss=score.cross_entropy if score else None,
        )

    def batches(self, hosts: Iterator[HostBatch]) -> Generator[Batch, None, None]:
        """Made beside the steps; but a teacher that looks at every batch on the CPU keeps all its cores busy: side by
        side the two take half as long again as one after the other (docs/log.md).
        """
        busy = self.device.is_host and self.data.targets is not None and self.data.targets.live
        return (in_turn if busy else ahead)(hosts, self.device, self.prepare)

    def _step(self, batch: Batch, progress: float) -> Float[Tensor, " losses"]:
        self.optimizer.zero_grad(set_to_none=True)
        values = self.step.gradients(batch, progress)
        scaler = self.step.scaler
        scaler.unscale_(self.optimizer)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.stage.recipe.clip_norm)
        if scaler.is_enabled():
            self._overflows.append(~norm.isfinite())  # on the device; the scaler then leaves the step out
        scaler.step(self.optimizer)
        scaler.update()
        return values

    def _judge(self, epoch: int) -> Score:
        """With an average there is one candidate, so that nothing is chosen: it takes the network's place."""
        if self.average is not None:
            self.average.replace_weights()
            self.processes.agree(self.network)
        judged = validate(self.network, self.data, self.rows.val, self.device) if self.processes.leads else None
        score: Score = self.processes.told(judged)
        if score.by(self.stage.chosen_by) < self.progress.best.by(self.stage.chosen_by):
            self.progress.best, self.progress.best_epoch = score, epoch
            self.progress.best_weights = copy.deepcopy(self.network.state_dict())
        return score

    def _count_skipped(self, done: int) -> None:
        if self._overflows:
            self.progress.skipped += int(torch.stack(self._overflows).sum())
            self._overflows.clear()
        require_taken_steps(self.progress.skipped, done, self.steps, self.learning_rate)

    def _timed(self, phase: str, work: Callable[[int], _Left], epoch: int) -> _Left:
        meter, progress = energy.here(), self.progress
        before, began = meter.joules(), time.perf_counter()
        left = work(epoch)
        self.device.synchronise()
        progress.seconds[phase] = progress.seconds.get(phase, 0.0) + time.perf_counter() - began
        used = meter.since(before)
        if used is None:  # once it cannot be read, what was read is no whole
            progress.joules = None
        elif progress.joules is not None:
            progress.joules[phase] = progress.joules.get(phase, 0.0) + used
        return left

    def _state(self) -> checkpoint.State:
        progress = self.progress
        return {
            "network": self.network.state_dict(),
            "losses": self.losses.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.step.scaler.state_dict(),
            "epoch": progress.epoch,
            "best": (progress.best.error, progress.best.cross_entropy),
            "best_epoch": progress.best_epoch,
            "best_weights": progress.best_weights,
            "average": self.average.tensors if self.average else {},
            "seconds": progress.seconds,
            "joules": progress.joules,
            "curve": [asdict(each) for each in progress.curve],
            "skipped": progress.skipped,
        }

    def _resume(self) -> None:
        state = self.processes.told(checkpoint.load(self.file) if self.processes.leads else None)
        if state is None:
            self.processes.follow(self.network, self.losses)
            return
        self.network.load_state_dict(state["network"])
        self.losses.load_state_dict(state["losses"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step.scaler.load_state_dict(state.get("scaler", {}))
        self.progress = Progress(
            state["epoch"],
            Score(*state["best"]),
            state["best_epoch"],
            state["best_weights"],
            state["seconds"],
            state.get("joules"),
            [Epoch(**each) for each in state.get("curve", [])],
            state.get("skipped", 0),
        )
        if self.average is not None:
            self.average.restore(state["average"])
        self.advance(min(state["epoch"] * self.per_epoch, self.steps) * self.stage.recipe.batch_images)
