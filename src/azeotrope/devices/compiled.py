"""`torch.compile`, where it was asked for: whether this machine can, and a network's passes in training, compiled.

What torch cannot compile of a model it computes as before, between compiled parts. Evaluation is not compiled: its last
batch has another size, for which torch would compile once more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from azeotrope.devices.device import Device
from azeotrope.errors import InputError, RunFailed, first_line

_SHAPES = 256  # networks and sizes of one process, beyond which torch would go on uncompiled and say it in a log only


def require_compiler(device: Device) -> None:
    """Compile a function of one line there. Raises InputError where that fails, or for cards that share a run."""
    if device.shares > 1:
        raise InputError(
            "Cards that share a run exchange BatchNorm's statistics within it, which is not compiled",
            found=f"--compile on {device.called}",
            allowed=f"--compile with one card, or {device.called} without it",
            next_step="leave --compile out",
        )
    try:
        torch.compile(_doubled)(torch.ones(8, device=device.name))
    except Exception as error:  # each of torch, Triton and the compiler raises what it likes
        raise InputError(
            f"torch cannot compile for {device.name} here",
            found=first_line(error),
            allowed="a C++ compiler such as g++ for the processor; Triton for CUDA, which torch brings on Linux",
            next_step="install it, or leave --compile out",
        ) from error


def compiled(network: nn.Module, device: Device) -> Callable[..., Any]:
    """The network as the device runs it in training: itself, or compiled when it is first called."""
    if not device.compiles:
        return network
    torch._dynamo.config.recompile_limit = _SHAPES
    called: Callable[..., Any] = torch.compile(network, dynamic=False)
    return called


def not_compiled(error: Exception) -> RunFailed:
    """What a run fails with where its network cannot be compiled."""
    return RunFailed("The student could not be compiled", found=first_line(error), next_step="leave --compile out")


def _doubled(numbers: torch.Tensor) -> torch.Tensor:
    return numbers * 2
