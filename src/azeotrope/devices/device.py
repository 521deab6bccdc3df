"""A device that computes: where it is, in which precision it multiplies, and how a batch gets there."""

from __future__ import annotations

import os
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
    """A torch device name, the precision of matrix work there, and why it was chosen, where there was a choice.

    Where several train one run together, `cards` are all of them, and `name` is that of this process. With `compiles`
    networks are compiled there to train.
    """

    name: str
    precision: Precision
    reason: str = field(default="", compare=False)
    cards: tuple[str, ...] = ()
    compiles: bool = False

    @property
    def kind(self) -> str:
        """The name without the number of the card: cpu, cuda, mps."""
        return self.name.partition(":")[0]

    @property
    def called(self) -> str:
        """Its name, or those of all cards that train together."""
        return " and ".join(self.cards) or self.name

    @property
    def shares(self) -> int:
        """Into how many equal shares a batch goes, each computed by a process of its own."""
        return len(self.cards) or 1

    def share(self, rank: int) -> Device:
        """The device of one of the processes that train together."""
        return replace(self, name=self.cards[rank]) if self.cards else self

    @property
    def on_node(self) -> tuple[str, ...]:
        """The CUDA cards by their numbers on this machine, whatever CUDA_VISIBLE_DEVICES leaves of them for this
        process; of several processes on a processor `cpu` for each.
        """
        if self.kind != "cuda":
            return self.cards
        visible = [each.strip() for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if each.strip()]
        numbers = [int(name.partition(":")[2] or 0) for name in self.cards or (self.name,)]
        return tuple(f"cuda:{visible[number] if number < len(visible) else number}" for number in numbers)

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
        if self.kind == "mps":
            return torch.backends.mps.get_name()
        return " and ".join(dict.fromkeys(map(torch.cuda.get_device_name, self.cards or (self.name,))))

    def for_worker(self, place: int) -> Device:
        """The card of this worker of a machine: by turns, unless cards were named."""
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
