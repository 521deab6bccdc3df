"""Depthwise convolutions trained in bf16 on a CPU: their gradients by the fp32 kernels, which are many times as fast.

oneDNN has no bf16 kernel of its own for the gradient of a depthwise convolution that strides or is wider than 3; what
it takes instead needs 10 to 150 times as long as fp32, and was half of a MobileNetV2 step (docs/log.md). Small models
for devices are made of these. The forward pass stays in bf16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.overrides import TorchFunctionMode

WELL_SERVED = 3  # the widest kernel whose gradient, where it does not stride, bf16 computes as fast as fp32

Pair = tuple[int, int]


class FastDepthwise(TorchFunctionMode):
    """While this context is open, depthwise convolutions are recorded with the faster gradient.

    To be entered inside an autocast to bf16 on the CPU.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """All calls of torch's functions come through here; all but convolutions go on as they are."""
        if func is functional.conv2d and torch.is_grad_enabled():
            func = convolved
        return func(*args, **(kwargs or {}))


def convolved(
    input: Float[Tensor, "B C H W"],
    weight: Float[Tensor, "O c k l"],
    bias: Float[Tensor, " O"] | None = None,
    stride: int | Pair = 1,
    padding: int | Pair | str = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Float[Tensor, "B O h w"]:
    """`conv2d`, with the faster gradient where the convolution is one that bf16 serves ill."""
    depthwise = groups > 1 and weight.shape[:2] == (groups, 1)
    ill_served = max(_pair(stride)) > 1 or max(weight.shape[2:]) > WELL_SERVED
    if isinstance(padding, str) or not (depthwise and ill_served):
        return functional.conv2d(input, weight, bias, stride, padding, dilation, groups)
    output: Tensor = _Depthwise.apply(input, weight, bias, _pair(stride), _pair(padding), _pair(dilation))
    return output


class _Depthwise(torch.autograd.Function):
    """Forward in bf16, under the autocast that is open; gradients in fp32, given back in the precision of what they are
    gradients of.
    """

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, dilation: Pair
    ) -> Tensor:
        rounded = input.to(torch.bfloat16)
        ctx.save_for_backward(rounded, weight)
        ctx.geometry = stride, padding, dilation
        ctx.has_bias, ctx.input_dtype = bias is not None, input.dtype
        return functional.conv2d(rounded, weight, bias, stride, padding, dilation, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        seen, weight = ctx.saved_tensors
        of_input, of_weight = ctx.needs_input_grad[:2]
        exact = gradient.float()
        at_input = at_weight = at_bias = None
        if of_input:  # of `seen` only its shape and layout are read
            at_input = _backward(exact, torch.empty_like(seen, dtype=torch.float32), weight, ctx.geometry, 0)
            at_input = at_input.to(ctx.input_dtype)
        if of_weight and max(weight.shape[2:]) > WELL_SERVED:
            at_weight = _backward(exact, seen.float(), weight, ctx.geometry, 1)
        elif of_weight:
            at_weight = _backward(gradient, seen, weight.to(seen.dtype), ctx.geometry, 1).to(weight.dtype)
        if ctx.has_bias and ctx.needs_input_grad[2]:
            at_bias = exact.sum((0, 2, 3))
        return at_input, at_weight, at_bias, None, None, None


def _backward(gradient: Tensor, seen: Tensor, weight: Tensor, geometry: tuple[Pair, Pair, Pair], which: int) -> Tensor:
    """Of a depthwise convolution's input (`which` 0) or weight (1), in the memory layout of `seen`.

    The operator itself: `torch.nn.grad.conv2d_input` answers in another layout and takes two to four times as long.
    """
    stride, padding, dilation = geometry
    asked = [which == 0, which == 1, False]
    gradients = torch.ops.aten.convolution_backward(
        gradient, seen, weight, None, stride, padding, dilation, False, [0, 0], len(weight), asked
    )
    answer: Tensor = gradients[which]
    return answer


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
