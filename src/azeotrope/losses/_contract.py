"""What every loss receives and returns.

A loss is a module because some hold a projector; its parameters are trained with the student's. Values are means
over the
batch, so they do not change with batch size or class count, and are computed in float32 whatever the autocast.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from azeotrope.lookup import member


@dataclass(frozen=True)
class Signals:
    """What one batch offers the losses. B images, F features of the student, G of the teacher, C classes.

    Teacher entries are None when the stage has no teacher; they carry no gradient.
    """

    features: Float[Tensor, "B F"]
    logits: Float[Tensor, "B C"]
    labels: Int[Tensor, " B"]
    teacher_features: Float[Tensor, "B G"] | None = None
    teacher_logits: Float[Tensor, "B C"] | None = None


@dataclass(frozen=True)
class Setup:
    """What a loss may need to be built: widths of the features (0: no teacher), classes, and the recipe's label
    smoothing.
    """

    student_features: int
    teacher_features: int
    classes: int
    label_smoothing: float = 0.0


def needs_teacher(losses: Iterable[str]) -> bool:
    """Whether any of these losses compares with a teacher. Raises InputError with near names when a key is no loss."""
    needed = [member("losses", key, "loss").Loss.needs_teacher for key in losses]  # all looked up: any may be unknown
    return any(needed)


def build(weights: dict[str, float], setup: Setup) -> WeightedSum:
    """The losses of one stage. Raises InputError with near names when a key is no loss."""
    return WeightedSum({key: member("losses", key, "loss").Loss(setup) for key in weights}, weights)


class WeightedSum(nn.Module):
    """Σ weight · loss, and each unweighted value for the log."""

    def __init__(self, losses: dict[str, nn.Module], weights: dict[str, float]) -> None:
        super().__init__()
        self.losses = nn.ModuleDict(losses)
        self.weights = dict(weights)

    def forward(self, signals: Signals) -> tuple[Float[Tensor, ""], Float[Tensor, " losses"]]:
        """Total to differentiate, and the detached values in the order of `names`."""
        values = [loss(signals) for loss in self.losses.values()]
        total = torch.stack([self.weights[key] * value for key, value in zip(self.losses, values, strict=True)]).sum()
        return total, torch.stack([value.detach() for value in values])

    @property
    def names(self) -> list[str]:
        """Keys in the order of the values."""
        return list(self.losses)
