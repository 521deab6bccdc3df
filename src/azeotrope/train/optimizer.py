"""AdamW with warm-up and schedule: the same for every arm, except for the head's rate that fine-tuning asks for."""

from __future__ import annotations

import math

import torch
from torch import nn

from azeotrope.models.network import Network
from azeotrope.recipe import Recipe
from azeotrope.train.stage import Stage


def build_optimizer(network: Network, losses: nn.Module, stage: Stage, learning_rate: float) -> torch.optim.AdamW:
    """Groups: body and head, each split into weights (decayed) and vectors such as biases and norms (not), and the
    losses' projectors.

    The head goes at `stage.head_rate` times the body's rate. When only the head trains, the body has no group and no
    gradient.
    """
    network.requires_grad_(True)
    parts: list[tuple[nn.Module, float]] = [(network.head, stage.head_rate), (losses, 1.0)]
    if stage.trains == "head":
        network.backbone.requires_grad_(False)
    else:
        parts.insert(0, (network.backbone, 1.0))
    groups = []
    for module, factor in parts:
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        for decay, members in (
            (stage.recipe.weight_decay, [p for p in parameters if p.ndim > 1]),
            (0.0, [p for p in parameters if p.ndim <= 1]),
        ):
            if members:
                groups.append({"params": members, "weight_decay": decay, "factor": factor})
    return torch.optim.AdamW(groups, lr=learning_rate, fused=True)


def load_optimizers() -> None:
    """Import what torch imports with the first optimiser of a process, 1.5 s, so that no phase of a run is charged.

    Else the teacher's head is where there is one, and the training where there is none.
    """
    torch.optim.SGD([torch.zeros(1, requires_grad=True)])


def rate_factor(step: int, steps: int, recipe: Recipe) -> float:
    """The share of the learning rate at this step (0-based): linear up over the warm-up, then half a cosine to zero, or
    all of it to the end where the recipe's schedule is constant.
    """
    warmup = max(1, round(recipe.warmup_share * steps))
    if step < warmup:
        return (step + 1) / warmup
    if recipe.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set every group's learning rate to `rate` times its factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
