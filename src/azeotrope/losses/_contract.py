"""What every loss receives and returns.

A loss is a module because some hold a projector or a bank; its parameters are trained with the student's, its buffers
are in the checkpoint. Values are means over the batch, so they do not change with batch size or class count, and are
computed in float32 whatever the autocast.

A loss class says two things of itself. `needs_teacher`: whether it compares with one. `relates_images`: whether its
value depends on which images share a batch. A loss that does not is the mean of its values on the images, and several
devices may average theirs; one that does must be given the signals of all devices together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from azeotrope.config import Weight
from azeotrope.lookup import member

UNLABELLED = -100  # the label of a picture that has none: torch's cross-entropy passes it over


@dataclass(frozen=True)
class Signals:
    """What one batch offers the losses. B images, F features of the student, G of the teacher, C classes.

    A label may be UNLABELLED: such an image counts in the terms that compare with the teacher, and in no other.
    Teacher entries are None when the stage has no teacher; they carry no gradient. `places` says which of the training
    images these are, from 0; None where nobody counts them. `progress` is the share of the training's steps that are
    done, this one included: 1 at the last.
    """

    features: Float[Tensor, "B F"]
    logits: Float[Tensor, "B C"]
    labels: Int[Tensor, " B"]
    teacher_features: Float[Tensor, "B G"] | None = None
    teacher_logits: Float[Tensor, "B C"] | None = None
    places: Int[Tensor, " B"] | None = None
    progress: float = 1.0


@dataclass(frozen=True)
class Setup:
    """What a loss may need to be built: widths of the features (0: no teacher), classes, the recipe's label smoothing,
    how many images train, and the teacher's frozen head as a function from its embeddings [B, G] to logits [B, C].
    """

    student_features: int
    teacher_features: int
    classes: int
    label_smoothing: float = 0.0
    train_images: int = 0
    teacher_head: Callable[[Tensor], Tensor] | None = None


def needs_teacher(losses: Iterable[str]) -> bool:
    """Whether any of these losses compares with a teacher. Raises InputError with near names when a key is no loss."""
    needed = [member("losses", key, "loss").Loss.needs_teacher for key in losses]  # all looked up: any may be unknown
    return any(needed)


def build(weights: Mapping[str, Weight], setup: Setup) -> WeightedSum:
    """The losses of one stage. Raises InputError with near names when a key is no loss."""
    return WeightedSum({key: member("losses", key, "loss").Loss(setup) for key in weights}, weights)


class WeightedSum(nn.Module):
    """Σ weight · loss, and each unweighted value for the log. A weight (first, last) is linear in the progress."""

    def __init__(self, losses: dict[str, nn.Module], weights: Mapping[str, Weight]) -> None:
        super().__init__()
        self.losses = nn.ModuleDict(losses)
        self.weights = dict(weights)

    def forward(self, signals: Signals) -> tuple[Float[Tensor, ""], Float[Tensor, " losses"]]:
        """Total to differentiate, and the detached values in the order of `names`."""
        values = [loss(signals) for loss in self.losses.values()]
        weights = [weight_at(weight, signals.progress) for weight in self.weights.values()]
        total = torch.stack([weight * value for weight, value in zip(weights, values, strict=True)]).sum()
        return total, torch.stack([value.detach() for value in values])

    @property
    def names(self) -> list[str]:
        """Keys in the order of the values."""
        return list(self.losses)


def weight_at(weight: Weight, progress: float) -> float:
    """The weight after this share of the training."""
    first, last = weight if isinstance(weight, tuple) else (weight, weight)
    return first + (last - first) * progress
