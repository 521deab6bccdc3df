"""The processes that train one student together, a share of every batch each.

One process is the usual case and costs nothing here. It moves tensors and words between processes; it decides nothing
about losses. Who starts and ends them is elsewhere (`sweeping.engines`).
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
from torch import Tensor, distributed, nn

from azeotrope.devices.device import Device
from azeotrope.errors import InputError, first_line, message_of

_PATIENCE = timedelta(days=30)  # the first may embed for hours while others wait; a dead process is noticed elsewhere
_BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}

Made = TypeVar("Made")


class OutOfStepError(Exception):
    """One of the processes that train together cannot go on, and others wait for it: all must be started anew. `final`
    where it would come to that again: the run itself fails, as it would on one device.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


@contextmanager
def _in_step() -> Iterator[None]:
    """What the connection to the other processes raises is OutOfStepError: one of them has ended."""
    try:
        yield
    except torch.AcceleratorError:  # of this process's own card
        raise
    except RuntimeError as error:
        raise OutOfStepError(f"the processes lost each other ({message_of(error)})") from error


@dataclass(frozen=True)
class Processes:
    """One process among those that train together: `rank` of `count`. What moves between them raises OutOfStepError
    where another has ended.
    """

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that judges and writes to disk."""
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
    def together(self, tensor: Tensor, last: int = 0) -> Tensor: ...
    @overload
    def together(self, tensor: None, last: int = 0) -> None: ...
    def together(self, tensor: Tensor | None, last: int = 0) -> Tensor | None:
        """All shares in order of rank; the `last` rows of each come after the other rows of all, as in a batch that is
        not shared. Gradient flows to one's own share only: `add_gradients` sums the rest.
        """
        if tensor is None or self.count == 1:
            return tensor
        shares = self.gathered(tensor.detach())
        shares[self.rank] = tensor
        first = len(tensor) - last
        return torch.cat([*(share[:first] for share in shares), *(share[first:] for share in shares)])

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        """The tensor of each process, in order of rank; without gradient."""
        shares = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(self.count)]
        with _in_step():
            distributed.all_gather(shares, tensor.contiguous())
        return shares

    def add(self, tensor: Tensor) -> None:
        """Put the sum over processes in the place of the tensor."""
        with _in_step():
            distributed.all_reduce(tensor)

    def add_gradients(self, network: nn.Module, losses: nn.Module) -> None:
        """Sum the network's gradients over processes. Losses have theirs of the whole batch already, alike up to
        rounding: of these the mean, so that projectors stay equal to the bit.
        """
        if self.count == 1:
            return
        of_losses = list(_gradients(losses))
        for gradient in of_losses:
            gradient /= self.count
        gradients = [*_gradients(network), *of_losses]
        whole = torch.cat([gradient.flatten() for gradient in gradients])
        self.add(whole)
        for gradient, summed in zip(gradients, torch.split(whole, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(summed.view_as(gradient))

    def agree(self, network: nn.Module) -> None:
        """Average what each process may have measured on its own images: statistics other than BatchNorm's."""
        if self.count == 1:
            return
        for buffer in network.buffers():
            if buffer.is_floating_point():
                self.add(buffer)
                buffer /= self.count

    def follow(self, *modules: nn.Module) -> None:
        """Take the leader's weights and statistics."""
        if self.count == 1:
            return
        for module in modules:
            for tensor in module.state_dict().values():
                with _in_step():
                    distributed.broadcast(tensor, 0)

    def told(self, word: Any) -> Any:
        """The leader's word; that of others is not heard."""
        if self.count == 1:
            return word
        words = [word]
        with _in_step():
            distributed.broadcast_object_list(words, 0, device=torch.device("cpu"))
        return words[0]

    def agreed(self, make: Callable[[], Made]) -> Made:
        """What `make` gives here. Where it fails in one process, all raise what the first of these raised, and stay in
        step.
        """
        if self.count == 1:
            return make()
        made: list[Made] = []
        failure: Exception | None = None
        try:
            made.append(make())
        except Exception as error:
            failure = _that_travels(error)
            failure.add_note(f"In process {self.rank}:\n{traceback.format_exc()}")  # which does not travel by itself
        failures: list[Exception | None] = [None] * self.count
        with _in_step():
            distributed.all_gather_object(failures, failure)
        for each in failures:
            if each is not None:
                raise each
        return made[0]


ALONE = Processes()


def joined(device: Device, rank: int, meeting: Path) -> Processes:
    """The process of this rank among as many as `device` has shares, all on this machine; returns when they are there.
    They find each other by the file `meeting`, which must not be there yet.
    """
    if device.kind == "cuda":
        torch.cuda.set_device(device.name)
    distributed.init_process_group(
        _BACKENDS[device.kind],
        store=distributed.FileStore(str(meeting), device.shares),  # type: ignore[attr-defined]
        rank=rank,
        world_size=device.shares,
        timeout=_PATIENCE,
    )
    return Processes(rank, device.shares)


def _that_travels(error: Exception) -> Exception:
    """The same where it can be sent to another process; else an error that says what it was. Processes that wait for
    one which cannot be sent would wait for ever.
    """
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its attributes and its constructor raise
        return RuntimeError(first_line(error))
    return error


def _gradients(module: nn.Module) -> Iterator[Tensor]:
    return (parameter.grad for parameter in module.parameters() if parameter.grad is not None)
