"""The next batch is made by a thread while the network works on this one: reading, sending, rendering and a step's own
work all leave the interpreter free for the other.

One batch ahead and no more, so that memory grows by a batch. It changes neither what is in a batch nor their order.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

from azeotrope.data.host_batch import DeviceInputs, HostBatch
from azeotrope.devices.device import Device

SHARE = 4  # one thread in so many makes batches, which is a tenth of a small model's work; measured on two cores only
_WITH_STREAMS = ("cuda", "xpu")

Made = TypeVar("Made")


def in_turn(
    hosts: Iterator[HostBatch], device: Device, make: Callable[[DeviceInputs], Made]
) -> Generator[Made, None, None]:
    """What `make` makes of each batch on the device, when it is asked for."""
    for host in hosts:
        yield make(device.send(host))


def ahead(
    hosts: Iterator[HostBatch], device: Device, make: Callable[[DeviceInputs], Made]
) -> Generator[Made, None, None]:
    """The same in the same order, made one ahead; what making one raises is raised when its turn comes.

    The thread ends with the last batch, or when this generator is closed: use it under `contextlib.closing`.
    """
    threads, beside = torch.get_num_threads(), _Beside(device)
    made = in_turn(hosts, device, make)
    with ThreadPoolExecutor(1, "batches") as thread:
        try:
            thread.submit(_settle, beside, max(1, threads // SHARE)).result()
        finally:
            torch.set_num_threads(threads)  # what was set there is also what threads to come would begin with
        following: Future[Made | None] = thread.submit(beside.next, made)
        while (batch := following.result()) is not None:
            beside.join()
            following = thread.submit(beside.next, made)
            yield batch


class _Beside:
    """The order of work between the caller's stream of the device and one for batches; nothing on devices without.

    Batch n + 1 is begun when all that uses batch n − 1 has been queued, and waits for it: the memory that this one
    leaves is free by then.
    """

    def __init__(self, device: Device) -> None:
        self.stream = self.callers = None
        if device.kind in _WITH_STREAMS and torch.accelerator.is_available():
            self.callers, self.stream = torch.accelerator.current_stream(device.name), _stream(device.name)

    def enter(self) -> None:
        """What this thread gives the device goes to the stream for batches, on the caller's card."""
        if self.stream is not None:
            torch.accelerator.set_stream(self.stream)

    def next(self, made: Iterator[Made]) -> Made | None:
        """The next batch, begun after what the caller has given the device so far."""
        if self.stream is not None and self.callers is not None:
            self.stream.wait_stream(self.callers)
        return next(made, None)

    def join(self) -> None:
        """What the caller gives the device from now on waits for the batch."""
        if self.stream is not None and self.callers is not None:
            self.callers.wait_stream(self.stream)


@cache
def _stream(device: str) -> torch.Stream:
    """One a card: each stream keeps the memory that was used on it."""
    return torch.Stream(device=device)


def _settle(beside: _Beside, threads: int) -> None:
    """By itself a thread would use the first card and as many threads as the step: twice as many threads as cores,
    where each part of a step waits for its slowest (docs/log.md).
    """
    beside.enter()
    torch.get_num_threads()  # a thread takes the common number when it is first asked; what is set before is lost
    torch.set_num_threads(threads)
