"""The next batch is made by a thread while the step works on this one: reading, rendering and a step's own work all
leave the interpreter free for the other.

One batch ahead and no more, so that memory grows by a batch. It changes neither what is in a batch nor their order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from azeotrope.train.dataset import Batch

SHARE = 4  # one thread in so many makes batches, which is a tenth of a small model's work; measured on two cores only


def ahead(batches: Iterator[Batch]) -> Generator[Batch, None, None]:
    """The same batches in the same order; what making one raises is raised when its turn comes.

    The thread ends with the last batch, or when this generator is closed: use it under `contextlib.closing`.
    """
    gpu = torch.cuda.current_device() if torch.cuda.is_available() else None
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1, "batches") as thread:
        try:
            thread.submit(_settle, gpu, max(1, threads // SHARE)).result()
        finally:
            torch.set_num_threads(threads)  # what was set there is also what threads to come would begin with
        following: Future[Batch | None] = thread.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield batch


def _settle(gpu: int | None, threads: int) -> None:
    """By itself a thread would use the first GPU and as many threads as the step: twice as many threads as cores, where
    each part of a step waits for its slowest (docs/log.md).
    """
    if gpu is not None:
        torch.cuda.set_device(gpu)
    torch.get_num_threads()  # a thread takes the common number when it is first asked; what is set before is lost
    torch.set_num_threads(threads)
