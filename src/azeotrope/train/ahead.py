"""The next batch is made by a thread while the step works on this one: reading, rendering and a step's own work all
leave the interpreter free for the other.

One batch ahead and no more, so that memory grows by a batch. It changes neither what is in a batch nor their order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from azeotrope.train.dataset import Batch


def ahead(batches: Iterator[Batch]) -> Generator[Batch, None, None]:
    """The same batches in the same order; what making one raises is raised when its turn comes.

    The thread ends with the last batch, or when this generator is closed: use it under `contextlib.closing`.
    """
    gpu = torch.cuda.current_device() if torch.cuda.is_available() else None
    with ThreadPoolExecutor(1, "batches", initializer=_on, initargs=(gpu,)) as thread:
        following: Future[Batch | None] = thread.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield batch


def _on(gpu: int | None) -> None:
    """A thread starts on the first GPU; its batches are for the one of the caller."""
    if gpu is not None:
        torch.cuda.set_device(gpu)
