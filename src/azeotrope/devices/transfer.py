"""From the host's memory to a device's: all arrays of a batch that have one type go over in one copy.

A batch has up to a dozen arrays, most of them small, and each copy costs the host some ten microseconds whatever it
carries. On CUDA copies leave from pinned memory, so that the host does not wait for them; torch keeps that memory for
the next batch and hands it out when the copy is done. On MPS the host waits: a copy that it does not wait for may read
memory that has been written to since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.data.host_batch import DeviceInputs, HostBatch

_FROM_PINNED = ("cuda", "xpu")


def sent(host: HostBatch, device: str) -> DeviceInputs:
    """The batch as tensors on this device."""
    arrays = host.arrays()
    there = {dtype: _copied([each for each in arrays if each.dtype == dtype], device) for dtype in _dtypes(arrays)}
    return host.map(lambda array: next(there[array.dtype]))


def _dtypes(arrays: list[NDArray[Any]]) -> list[np.dtype[Any]]:
    return list(dict.fromkeys(array.dtype for array in arrays))


def _copied(arrays: list[NDArray[Any]], device: str) -> Iterator[Tensor]:
    """Arrays of one type, in one copy and in their order."""
    whole = torch.from_numpy(np.concatenate([array.ravel() for array in arrays]))
    if pinned := device.partition(":")[0] in _FROM_PINNED and torch.accelerator.is_available():
        whole = whole.pin_memory()
    there = whole.to(device, non_blocking=pinned)
    parts = torch.split(there, [array.size for array in arrays])
    return iter([part.view(array.shape) for part, array in zip(parts, arrays, strict=True)])
