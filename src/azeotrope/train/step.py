"""One step's gradients: forward, losses over the whole batch, backward; in parts and over processes where asked.

A contrastive loss compares every image with every other of the batch. Averaging the gradients of parts, as is usual,
would give each image the negatives of its part only: another loss. Here the features and logits of all parts and all
processes are put together first and the losses are computed once, so that parts and processes change memory and time,
and not what is minimised. BatchNorm too takes its statistics from all processes; parts do change it: they are those of
a part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from azeotrope.devices.compiled import compiled, not_compiled
from azeotrope.devices.device import Device
from azeotrope.losses._contract import Signals, WeightedSum
from azeotrope.models.network import Network, Output
from azeotrope.train.parallel.batch_norm import OverWholeBatch
from azeotrope.train.parallel.processes import Processes
from azeotrope.train.prepare import Batch


@dataclass(frozen=True)
class Step:
    """Computes gradients of one batch. `parts` is into how many the batch is split to save memory."""

    network: Network
    losses: WeightedSum
    device: Device
    processes: Processes
    parts: int = 1

    @cached_property
    def scaler(self) -> torch.amp.GradScaler:
        """By what gradients in float16 are multiplied, until the optimiser takes them."""
        return self.device.scaler()

    @cached_property
    def run(self) -> Callable[..., Any]:
        """The network as this device runs it in training."""
        return compiled(self.network, self.device)

    def try_out(self, batch: Batch) -> None:
        """Take a step's way there and back, and leave nothing of it: what is compiled, is then. Raises RunFailed where
        it cannot be.
        """
        try:
            with _statistics_kept(self.network), _statistics_kept(self.losses):
                self.gradients(batch, 0.0)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise not_compiled(error) from error
        finally:
            self.network.zero_grad()
            self.losses.zero_grad()

    def gradients(self, batch: Batch, progress: float) -> Float[Tensor, " losses"]:
        """Leave in `.grad` what the whole batch asks, equal in all processes; the losses' values. `batch` is this
        process's share, as large as everybody's. Gradients are still multiplied by the scaler.
        """
        with self._computing():
            output = self._forward(batch.images)
            total, values = self.losses(self._signals(output, batch, progress))
        self.scaler.scale(total).backward()
        self.processes.add_gradients(self.network, self.losses)
        measured: Tensor = values
        return measured

    def _forward(self, images: Float[Tensor, "B bands H W"]) -> Output:
        """With several parts, activations are not kept: each part is computed again when its turn to go back comes
        (Chen et al. 2016, arXiv 1604.06174; for contrastive losses Gao et al. 2021, arXiv 2101.06983).
        """
        if self.parts == 1:
            output: Output = self.run(images)
            return output
        outputs = [self._recomputed(part) for part in images.tensor_split(self.parts)]
        return Output(*(torch.cat(tensors) for tensors in zip(*outputs, strict=True)))

    def _recomputed(self, images: Float[Tensor, "B bands H W"]) -> Output:
        def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
            return nullcontext(), self._again()

        output: Output = checkpoint(self.run, images, use_reentrant=False, context_fn=contexts)
        return output

    @contextmanager
    def _computing(self) -> Iterator[None]:
        over = nullcontext() if self.processes.count == 1 else OverWholeBatch(self.processes)
        with self.device.autocast(), over:
            yield

    @contextmanager
    def _again(self) -> Iterator[None]:
        with self._computing(), _statistics_kept(self.network):
            yield

    def _signals(self, output: Output, batch: Batch, progress: float) -> Signals:
        together = partial(self.processes.together, last=batch.further)
        return Signals(
            together(output.features),
            together(output.logits),
            together(batch.labels),
            together(batch.teacher_features),
            together(batch.teacher_logits),
            together(batch.folds),
            together(batch.places),
            progress,
        )


@contextmanager
def _statistics_kept(module: nn.Module) -> Iterator[None]:
    """What is computed a second time must not move BatchNorm's statistics a second time."""
    before = [buffer.clone() for buffer in module.buffers()]
    try:
        yield
    finally:
        for buffer, value in zip(module.buffers(), before, strict=True):
            buffer.copy_(value)
