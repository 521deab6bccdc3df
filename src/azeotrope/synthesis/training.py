"""Trains a generator of one's own on this run's training images and no others; resumable, like every training here.

Order, noise and dropped classes of a step depend on (seed, step) alone, so a killed training goes on to the same
weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from azeotrope.data.augmentation.philox import permutation
from azeotrope.devices.device import Device
from azeotrope.errors import RunFailed
from azeotrope.synthesis.spec import Training
from azeotrope.synthesis.unet import Frame, build_unet, training_noise
from azeotrope.train import checkpoint

CHECKPOINT_SECONDS = 15.0
WARMUP_STEPS = 50
CLIP_NORM = 1.0


@dataclass
class OwnTraining:
    """The UNet being trained on `pictures` [n, S, S, K] of `labels`. `run` gives the averaged network.

    `mirror`: half of the images of a step are mirrored, where that keeps their class. `file` is the checkpoint.
    """

    pictures: UInt8[Tensor, "n S S K"]
    labels: NDArray[np.int64]
    classes: int
    spec: Training
    seed: int
    mirror: bool
    device: Device
    file: Path
    advance: Callable[[int], None] = lambda steps: None
    seconds: float = 0.0
    step: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.frame = Frame(self.pictures.shape[1], self.pictures.shape[-1])
        self.batch = min(self.spec.batch_images, len(self.labels))
        self.scheduler = training_noise()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = self.device.place(build_unet(self.frame, self.classes, self.spec.channels))
        averaging = get_ema_multi_avg_fn(self.spec.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=averaging)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=self.spec.learning_rate, fused=True)
        self.scaler = self.device.scaler()

    def run(self) -> torch.nn.Module:
        """Train all steps. Raises RunFailed when the loss is not finite."""
        self._resume()
        began = saved = time.perf_counter()
        before = self.seconds
        self.network.train()
        while self.step < self.spec.steps:
            self._step()
            self.step += 1
            self.advance(1)
            now = time.perf_counter()
            self.seconds = before + now - began
            if now - saved > CHECKPOINT_SECONDS:
                checkpoint.save(self.file, self._state())
                saved = now
        averaged: torch.nn.Module = self.average.module
        return averaged.eval()

    def _step(self) -> None:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        torch.manual_seed(self.seed * 1_000_003 + self.step)  # dropout
        values, labels = self._batch(generator)
        noise = torch.randn(values.shape, generator=generator).to(self.device.name)
        times = torch.randint(0, self.scheduler.config.num_train_timesteps, (len(labels),), generator=generator)
        times = times.to(self.device.name)
        for group in self.optimizer.param_groups:
            group["lr"] = self.spec.learning_rate * self._rate()
        with self.device.autocast():
            said = self.network(self.scheduler.add_noise(values, noise, times), times, labels).sample
        loss = functional.mse_loss(said.float(), self.scheduler.get_velocity(values, noise, times))
        if not torch.isfinite(loss):
            self.file.unlink(missing_ok=True)  # it leads here again, and would stand in the way of what is advised
            raise RunFailed(
                f"The generator's loss is not finite at step {self.step + 1}",
                next_step="take --precision fp32, or make it with a hub's generator",
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.average.update_parameters(self.network)

    def _batch(self, generator: torch.Generator) -> tuple[Float[Tensor, "B folded h h"], Tensor]:
        """Images of this step, some mirrored, and their classes, some of them withheld."""
        a_pass = max(1, len(self.labels) // self.batch)
        order = permutation(len(self.labels), self.seed, self.step // a_pass)
        start = self.step % a_pass * self.batch
        rows = order[start : start + self.batch]
        pictures, labels = self.pictures[rows], torch.from_numpy(self.labels[rows])
        if self.mirror:
            flip = torch.rand(len(rows), generator=generator) < 0.5
            pictures = torch.where(flip[:, None, None, None], pictures.flip(2), pictures)
        withheld = torch.rand(len(rows), generator=generator) < self.spec.unlabelled_share
        labels = torch.where(withheld, torch.full_like(labels, self.classes), labels)
        values = self.frame.fold(pictures).contiguous(memory_format=torch.channels_last)
        return values.to(self.device.name), labels.to(self.device.name)

    def _rate(self) -> float:
        """Linear warm-up, then half a cosine."""
        if self.step < WARMUP_STEPS:
            return (self.step + 1) / WARMUP_STEPS
        return 0.5 * (1 + math.cos(math.pi * (self.step - WARMUP_STEPS) / max(1, self.spec.steps - WARMUP_STEPS)))

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }

    def _resume(self) -> None:
        state = checkpoint.load(self.file)
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state.get("scaler", {}))
        self.step, self.seconds = state["step"], state["seconds"]
        self.advance(self.step)
