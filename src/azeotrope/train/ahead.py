"""The next batch is made by a thread while the step works on this one: reading, rendering and a step's own work all
leave the interpreter free for the other.

One batch ahead and no more, so that memory grows by a batch. It changes neither what is in a batch nor their order.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from azeotrope.train.dataset import Batch

SHARE = 4  # of the processor's threads that one of so many makes batches: rendering is a tenth of a small model's step


def ahead(batches: Iterator[Batch]) -> Generator[Batch, None, None]:
    """The same batches in the same order; what making one raises is raised when its turn comes.

    The thread ends with the last batch, or when this generator is closed: use it under `contextlib.closing`.
    """
    gpu = torch.cuda.current_device() if torch.cuda.is_available() else None
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1, "batches") as thread:
        thread.submit(_settle, gpu, max(1, threads // SHARE)).result()
        torch.set_num_threads(threads)  # a thread's own number is also what threads to come begin with
        following: Future[Batch | None] = thread.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = thread.submit(next, batches, None)
            yield batch


def _settle(gpu: int | None, threads: int) -> None:
    """A thread starts on the first GPU and with as many threads of its own as the step has: with twice as many threads
    as cores each of the step's parts waits for its slowest, and a step took 30 % longer (docs/log.md).
    """
    if gpu is not None:
        torch.cuda.set_device(gpu)
    torch.get_num_threads()  # a thread takes the common number when it is first asked; what is set before is lost
    torch.set_num_threads(threads)
