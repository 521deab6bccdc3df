"""What a process does once before it computes: results that repeat, memory that stays, no more threads than it has
processors.
"""

from __future__ import annotations

import os

import torch

from azeotrope.devices.memory import keep_freed_memory
from azeotrope.record.machine.processors import processors

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def prepare() -> None:
    """What a process does once before it trains: results that repeat, memory that stays, no more threads than
    processors.
    """
    make_repeatable()
    keep_freed_memory()
    limit_threads()


def limit_threads() -> None:
    """Torch takes a thread for each of the machine's cores, also in a container that may use two of them.

    A number that the user has set (OMP_NUM_THREADS, MKL_NUM_THREADS) stays.
    """
    if not any(name in os.environ for name in _THREADS) and torch.get_num_threads() > (granted := processors()):
        torch.set_num_threads(granted)


def make_repeatable() -> None:
    """Ask for the same result from the same seed: bit-equal on one machine with one number of threads.

    And for fp32 that is fp32: torch lets convolutions of newer NVIDIA cards round to TF32, with 10 of 23 bits.

    Torch would also overwrite all memory that it allocates, lest something reads it before writing it; nothing here
    does, and that took 11 to 14 % of a step (docs/log.md).
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
