"""Depthwise convolutions trained in bf16 on a CPU: their gradients by the fp32 kernels, which are many times as fast.

oneDNN has no good bf16 kernel for the gradient of a depthwise convolution that strides or is wider than 3; what it
takes instead needs up to a hundred times as long as fp32 (docs/log.md). Small models for devices are made of these. The
forward pass stays in bf16.
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
    """While this context is open, depthwise convolutions under an autocast to bf16 on the CPU are recorded with the
    faster gradient.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """All calls of torch's functions come through here; all but convolutions go on as they are."""
        if func is functional.conv2d and torch.is_grad_enabled() and torch.is_autocast_enabled("cpu"):
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
    depthwise = groups > 1 and weight.shape[:2] == (groups, 1) and input.dim() == 4
    ill_served = max(_pair(stride)) > 1 or max(weight.shape[2:]) > WELL_SERVED
    if isinstance(padding, str) or input.dtype == torch.float64 or not (depthwise and ill_served):
        return functional.conv2d(input, weight, bias, stride, padding, dilation, groups)
    output: Tensor = _Depthwise.apply(input, weight, bias, _pair(stride), _pair(padding), _pair(dilation))
    return output


class _Depthwise(torch.autograd.Function):
    """Forward in bf16; gradients in fp32, given back in the precision of what they are gradients of."""

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, dilation: Pair
    ) -> Tensor:
        # Cast here: a cast that autocast remembered from in here would have no gradient.
        rounded, lower = input.to(torch.bfloat16), weight.to(torch.bfloat16)
        ctx.save_for_backward(rounded, weight)
        ctx.geometry = stride, padding, dilation
        ctx.dtypes = input.dtype, bias.dtype if bias is not None else None
        added = bias.to(torch.bfloat16) if bias is not None else None
        return functional.conv2d(rounded, lower, added, stride, padding, dilation, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        seen, weight = ctx.saved_tensors
        input_dtype, bias_dtype = ctx.dtypes
        of_input, of_weight, of_bias = ctx.needs_input_grad[:3]
        exact = gradient.float()
        at_input = at_weight = at_bias = None
        if of_input:  # of `seen` only its shape and layout are read
            blank = torch.empty_like(seen, dtype=torch.float32)
            at_input = _backward(exact, blank, weight.float(), ctx.geometry, 0).to(input_dtype)
        if of_weight:
            wide = max(weight.shape[2:]) > WELL_SERVED
            operands = (exact, seen.float(), weight.float()) if wide else (gradient, seen, weight.to(seen.dtype))
            at_weight = _backward(*operands, ctx.geometry, 1).to(weight.dtype)
        if of_bias:
            at_bias = exact.sum((0, 2, 3)).to(bias_dtype)
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
    return (value, value) if isinstance(value, int) else (value[0], value[-1])
