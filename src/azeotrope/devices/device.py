"""A device that computes: where it is, in which precision it multiplies, and how a batch gets there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import nn

from azeotrope.data.host_batch import DeviceInputs, HostBatch
from azeotrope.devices.depthwise import FastDepthwise
from azeotrope.devices.transfer import sent
from azeotrope.plan import Precision

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Device:
    """A torch device name, the precision of matrix work there, and why it was chosen, where there was a choice."""

    name: str
    precision: Precision
    reason: str = field(default="", compare=False)

    @property
    def kind(self) -> str:
        """The name without the number of the card: cpu, cuda, mps."""
        return self.name.partition(":")[0]

    @property
    def is_host(self) -> bool:
        """Whether it is the processor itself, whose memory holds what is read from disk."""
        return self.kind == "cpu"

    @property
    def dtype(self) -> torch.dtype:
        """In which matrix work is done."""
        return _DTYPES[self.precision]

    @property
    def accelerator(self) -> str | None:
        """What its maker calls it, such as NVIDIA A100-SXM4-80GB; None of a processor."""
        if self.is_host:
            return None
        return torch.cuda.get_device_name(self.name) if self.kind == "cuda" else torch.backends.mps.get_name()

    def for_worker(self, place: int) -> Device:
        """The card of this worker of a machine: by turns, unless a card was named."""
        if self.name != "cuda":
            return self
        return replace(self, name=f"cuda:{place % torch.accelerator.device_count()}")

    def send(self, host: HostBatch) -> DeviceInputs:
        """The arrays of a batch as tensors there, in few copies that nobody waits for."""
        return host.map(torch.from_numpy) if self.is_host else sent(host, self.name)

    def place(self, module: Module) -> Module:
        """Move a module there, in the memory layout that convolutions like; returns it."""
        return module.to(device=self.name).to(memory_format=torch.channels_last)

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Run matrix work in bfloat16 or float16 when the precision says so.

        Weights are cast at each use. Autocast could remember them, but for all threads together: one that closes its
        autocast makes another forget, and a weight used twice then sums its gradients in another precision.
        """
        lower = self.precision != "fp32"
        gradients = FastDepthwise() if self.is_host and self.precision == "bf16" else nullcontext()
        with torch.autocast(self.kind, self.dtype, enabled=lower, cache_enabled=False), gradients:
            yield

    def scaler(self) -> torch.amp.GradScaler:
        """Multiplies a loss, so that small gradients do not become zero in float16, and leaves out a step whose
        gradients overflow (Micikevicius et al. 2018, arXiv 1710.03740). In other precisions it changes nothing.
        """
        return torch.amp.GradScaler(self.kind, enabled=self.precision == "fp16")

    def synchronise(self) -> None:
        """Wait until the device has done what it was given, so that a clock read next is right."""
        if not self.is_host:
            torch.accelerator.synchronize(self.name)
