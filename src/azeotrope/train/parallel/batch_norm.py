"""BatchNorm over the whole batch where several processes have a share of it each (Ioffe & Szegedy 2015, arXiv
1502.03167).

torch's SyncBatchNorm takes the place of modules, which loses what a model's own kind of BatchNorm adds (timm joins an
activation), and works on CUDA only. Here the function that all kinds call is replaced while a context is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from azeotrope.errors import RunFailed
from azeotrope.train.parallel.processes import Processes


class OverWholeBatch(TorchFunctionMode):
    """While this context is open, BatchNorm in training normalises by the statistics of all processes' shares, which
    must be equally large.
    """

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self.processes = processes

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """All calls of torch's functions come through here; all but BatchNorm's go on as they are."""
        if func is functional.batch_norm:
            return normalised(self.processes, *args, **(kwargs or {}))
        if func is torch.batch_norm:
            return _below(self.processes, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def require_seen(network: nn.Module) -> None:
    """Raises RunFailed for a network with scripted parts, whose BatchNorm no context here meets: each process would
    normalise by its own share, and nobody would be told.
    """
    scripted = [name for name, module in network.named_modules() if isinstance(module, torch.jit.ScriptModule)]
    if scripted:
        raise RunFailed(
            "Parts of a student that torch.jit.script has compiled cannot be shared by several cards",
            found=", ".join(name or "the whole network" for name in scripted[:3]),
            next_step="take one card, or a student that is not scripted",
        )


def normalised(
    processes: Processes,
    input: Float[Tensor, "B C *sides"],
    running_mean: Float[Tensor, " C"] | None,
    running_var: Float[Tensor, " C"] | None,
    weight: Float[Tensor, " C"] | None = None,
    bias: Float[Tensor, " C"] | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Float[Tensor, "B C *sides"]:
    """`batch_norm`, in training over all processes; the running statistics move alike in all of them."""
    if not training:
        return functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    output, mean, var = _Normalised.apply(input, weight, bias, eps, processes)
    if running_mean is not None and running_var is not None:
        count = processes.count * input.numel() / input.shape[1]
        running_mean.lerp_(mean.to(running_mean.dtype), momentum)
        running_var.lerp_((var * (count / (count - 1))).to(running_var.dtype), momentum)
    normal: Tensor = output
    return normal


def _below(
    processes: Processes,
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    """The function below torch's `functional.batch_norm`, which a model may call too: the same in another order."""
    return normalised(processes, input, running_mean, running_var, weight, bias, training, momentum, eps)


class _Normalised(torch.autograd.Function):
    """(x − mean) / √(var + eps) · weight + bias, in float32; also the mean and the biased variance."""

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, processes: Processes
    ) -> tuple[Tensor, Tensor, Tensor]:
        var, mean = torch.var_mean(input.float(), _all_but_channels(input), correction=0)
        shares = torch.stack(processes.gathered(torch.stack([mean, var])))
        mean = shares[:, 0].mean(0)
        var = (shares[:, 1] + (shares[:, 0] - mean).square()).mean(0)  # of equal shares (Chan et al. 1983)
        scale = (var + eps).rsqrt()
        ctx.save_for_backward(input, weight, mean, scale)
        ctx.processes, ctx.biased = processes, bias is not None
        output = (input.float() - _wide(mean, input)) * _wide(scale, input)
        output = output if weight is None else output * _wide(weight.float(), input)
        output = output if bias is None else output + _wide(bias.float(), input)
        ctx.mark_non_differentiable(mean, var)
        return output.to(input.dtype), mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        input, weight, mean, scale = ctx.saved_tensors
        exact, normal = gradient.float(), (input.float() - _wide(mean, input)) * _wide(scale, input)
        dims = _all_but_channels(input)
        own = torch.stack([exact.sum(dims), (exact * normal).sum(dims)])
        whole = own.clone()
        ctx.processes.add(whole)
        whole /= ctx.processes.count * input.numel() / input.shape[1]
        slope = scale if weight is None else scale * weight.float()
        at_input = (exact - _wide(whole[0], input) - normal * _wide(whole[1], input)) * _wide(slope, input)
        at_weight = None if weight is None else own[1].to(weight.dtype)
        return at_input.to(input.dtype), at_weight, own[0] if ctx.biased else None, None, None


def _all_but_channels(input: Tensor) -> list[int]:
    return [0, *range(2, input.dim())]


def _wide(values: Tensor, input: Tensor) -> Tensor:
    """One value a channel, to be broadcast over the input."""
    return values.view(1, -1, *[1] * (input.dim() - 2))
