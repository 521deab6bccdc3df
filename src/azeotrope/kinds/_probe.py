"""Linear heads on frozen features, fitted to their minimum: logistic by L-BFGS, ridge in closed form.

Features must be standardised. Which penalty is best is chosen elsewhere (`teacher.head`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def logistic(
    loss: Callable[[Tensor, Tensor], Tensor],
    start: tuple[Tensor, Tensor],
    features: Float[Tensor, "n F"],
    targets: Tensor,
    strength: float,
) -> tuple[Float[Tensor, "C F"], Float[Tensor, " C"]]:
    """Weight and bias that minimise `loss` (a mean over images) + strength / 2 · |weight|², from `start`."""
    weight, bias = (tensor.clone().requires_grad_() for tensor in start)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, tolerance_grad=1e-5, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(functional.linear(features, weight, bias), targets)
        value = value + strength / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def ridge(
    features: Float[Tensor, "n F"], targets: Float[Tensor, " n"], strength: float
) -> tuple[Float[Tensor, "1 F"], Float[Tensor, " 1"]]:
    """Weight and bias that minimise ½ · mean (prediction − target)² + strength / 2 · |weight|² (Hoerl & Kennard 1970).

    Solved in double precision over features or over images, whichever are fewer.
    """
    rows = (features - features.mean(0)).double()
    values = (targets - targets.mean()).double()
    images, width = rows.shape
    if width <= images:
        weight = torch.linalg.solve(_with_diagonal(rows.T @ rows, strength * images), rows.T @ values)
    else:
        weight = rows.T @ torch.linalg.solve(_with_diagonal(rows @ rows.T, strength * images), values)
    bias = targets.mean() - features.mean(0) @ weight.float()
    return weight.float()[None], bias[None]


def _with_diagonal(matrix: Tensor, value: float) -> Tensor:
    return matrix + value * torch.eye(len(matrix), dtype=matrix.dtype)
