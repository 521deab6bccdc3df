"""The processes that train one student together, a share of every batch each; started by `accelerate launch`.

One process is the usual case and costs nothing here. It moves tensors between processes; it decides nothing about
losses.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import overload

import torch
from torch import Tensor, distributed, nn

from azeotrope.devices.device import Device
from azeotrope.errors import InputError


@dataclass(frozen=True)
class Processes:
    """One process among those that train together: `rank` of `count`."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes to disk."""
        return self.rank == 0

    def share(self, batch_images: int) -> slice:
        """The images of a batch that are for this process. Raises InputError when they cannot be shared equally."""
        if batch_images % self.count:
            raise InputError(
                "A batch must be shared equally by the processes",
                found=f"{batch_images} images a batch, {self.count} processes",
                next_step=f"take --batch-images {self.count * max(1, batch_images // self.count)}, or other processes",
            )
        images = batch_images // self.count
        return slice(self.rank * images, (self.rank + 1) * images)

    @overload
    def together(self, tensor: Tensor) -> Tensor: ...
    @overload
    def together(self, tensor: None) -> None: ...
    def together(self, tensor: Tensor | None) -> Tensor | None:
        """All shares in order of rank. Gradient flows to one's own share only: `add_gradients` sums the rest."""
        if tensor is None or self.count == 1:
            return tensor
        shares = [torch.empty_like(tensor) for _ in range(self.count)]
        distributed.all_gather(shares, tensor.detach().contiguous())
        shares[self.rank] = tensor
        return torch.cat(shares)

    def add_gradients(self, network: nn.Module) -> None:
        """Sum the network's gradients over processes. Losses have theirs of the whole batch already."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        whole = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(whole)
        for gradient, summed in zip(gradients, torch.split(whole, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(summed.view_as(gradient))

    def agree(self, network: nn.Module) -> None:
        """Average what each process measured on its own images: BatchNorm's statistics."""
        if self.count == 1:
            return
        for buffer in network.buffers():
            if buffer.is_floating_point():
                distributed.all_reduce(buffer)
                buffer /= self.count


ALONE = Processes()


def started(device: Device) -> Processes:
    """The processes that `accelerate launch` started, or this one alone; on CUDA each has a GPU of its own."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    from accelerate import PartialState  # only `accelerate launch` gets here

    state = PartialState(cpu=device.name == "cpu")
    return Processes(state.process_index, state.num_processes)
