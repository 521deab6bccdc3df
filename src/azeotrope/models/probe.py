"""Runs a model once to learn its shape: width of the pooled features, stride, and the classifier, if it has one.

Measured rather than declared, because sources declare it differently or not at all. Sources hand in a copy on torch's
`meta` device where they can, so that a large model costs no arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from azeotrope.errors import InputError


@dataclass
class _Trace:
    """What the hooks saw: the sides of all feature maps, and the last Linear with its output."""

    sides: list[int] = field(default_factory=list)
    linear: str | None = None
    linear_output: Tensor | None = None


@dataclass(frozen=True)
class Probe:
    """One forward pass at `size` pixels: the output's shape, the stride, and the Linear whose output is the model's."""

    shape: tuple[int, ...]
    stride: int
    classifier: str | None


def probe(module: nn.Module, *, size: int, channels: int, name: str) -> Probe:
    """Run one image of `size` pixels through `module` in eval mode. Raises InputError when it does not run."""
    trace, training = _Trace(), module.training
    hooks = [_watch(child, path, trace) for path, child in module.named_modules()]
    device = next(module.parameters(), torch.empty(0)).device
    try:
        with torch.no_grad():
            output = module.eval()(torch.zeros(1, channels, size, size, device=device))
    except Exception as error:  # the model's code is not ours: whatever it raises means that it cannot be used
        raise InputError(
            f"The model {name} must run on images of {size} x {size} pixels",
            found=f"{type(error).__name__}: {str(error)[:200]}",
            next_step="use another image size, or another model",
        ) from error
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()
    shape = tuple(output.shape) if isinstance(output, Tensor) else ()
    stride = _stride(size, min(trace.sides, default=size))
    return Probe(shape, stride, classifier=trace.linear if output is trace.linear_output else None)


def pooled_width(found: Probe, name: str) -> int:
    """The number of pooled features F, given that the model answers [1, F]; raises InputError when it does not."""
    if len(found.shape) != 2 or found.shape[0] != 1:
        raise InputError(
            f"The model {name} must give one pooled vector for each image",
            found=f"an output of shape {list(found.shape)} for one image" if found.shape else "no tensor",
            allowed="[batch, features]",
            next_step="use a variant that pools (class token or average), or wrap it in a function for file:",
        )
    return found.shape[1]


def _stride(size: int, side: int) -> int:
    """The stride that turns `size` pixels into `side` cells.

    Padding rounds the map up: 240 px give 8 cells at stride 32 as at 30. Where a power of two is possible, it is meant.
    """
    least, too_much = -(-size // side), size / (side - 1) if side > 1 else size + 1
    power = 1 << (least - 1).bit_length()
    return power if power < too_much else least


def _watch(module: nn.Module, path: str, trace: _Trace) -> torch.utils.hooks.RemovableHandle:
    def hook(_module: nn.Module, _inputs: object, output: object) -> None:
        if not isinstance(output, Tensor):
            return
        if isinstance(module, nn.Linear):
            trace.linear, trace.linear_output = path, output
        if (side := _side(output)) > 1:  # 1 x 1 is the pooled map, or a channel gate
            trace.sides.append(side)

    return module.register_forward_hook(hook)


def _side(output: Tensor) -> int:
    """Side of a square feature map laid out [B, C, H, W] or [B, H, W, C]; 0 for anything else."""
    if output.ndim != 4:
        return 0
    _, first, second, third = output.shape
    return second if second == third else first if first == second else 0
