"""What every loss receives and returns.

A loss is a module because some hold a projector or a bank; its parameters are trained with the student's, its buffers
are in the checkpoint. Values are means over the batch, so they do not change with batch size or class count, and are
computed in float32 whatever the autocast.

A loss class says two things of itself. `needs_teacher`: whether it compares with one. `relates_images`: whether its
value depends on which images share a batch. A loss that does not is the mean of its values on the images, and several
devices may average theirs; one that does must be given the signals of all devices together.

It may say three more. `kinds`: those of task for which it has a meaning, where these are not all. `relates_classes`:
that it compares an image's classes with each other, such as by a correlation, so that classes in which nobody believes
count too. `spreads_images`: that it pushes images of a batch apart, so that views of one image must be known as such.
What its constructor takes after `setup` are the parameters that an arm may give it (`_parameters`).

Losses are named by key: a name, with parameters where some were given, such as `kl(T=1)` (`terms`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from azeotrope.errors import InputError
from azeotrope.kinds._balance import UNBALANCED, Balance
from azeotrope.kinds._kind import Kind
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.labels import KindName
from azeotrope.lookup import member
from azeotrope.losses._parameters import checked
from azeotrope.terms import Term, Weight, name_of


@dataclass(frozen=True)
class Signals:
    """What one batch offers the losses. B images, F features of the student, G of the teacher, C outputs.

    Labels are class numbers, or what another kind of task compares its outputs with (`kinds`): 0 and 1 for each class,
    or standardised values. A class number may be UNLABELLED (`kinds.single`): such an image counts in the terms that
    compare with the teacher, and in no other.
    Teacher entries are None when the stage has no teacher; they carry no gradient. `folds` are those of the teacher's
    head whose models made the teacher's logits. `places` says which of the training
    images these are, from 0; None where nobody counts them. `progress` is the share of the training's steps that are
    done, this one included: 1 at the last.
    """

    features: Float[Tensor, "B F"]
    logits: Float[Tensor, "B C"]
    labels: Shaped[Tensor, B * label]
    teacher_features: Float[Tensor, "B G"] | None = None
    teacher_logits: Float[Tensor, "B C"] | None = None
    folds: Int[Tensor, " B"] | None = None
    places: Int[Tensor, " B"] | None = None
    progress: float = 1.0


@dataclass(frozen=True)
class Setup:
    """What a loss may need to be built: widths of the features (0: no teacher), classes, the recipe's label smoothing,
    how many images train, the teacher's frozen head as a function from its embeddings [B, G] and `Signals.folds` to
    logits [B, C], the kind of task, which says what labels and outputs mean, and what the loss on labels makes of
    classes of unequal size.
    """

    student_features: int
    teacher_features: int
    classes: int
    label_smoothing: float = 0.0
    train_images: int = 0
    teacher_head: Callable[[Tensor, Tensor | None], Tensor] | None = None
    kind: Kind = SINGLE
    balance: Balance = UNBALANCED


def needs_teacher(losses: Iterable[str]) -> bool:
    """Whether any of these losses compares with a teacher. Raises InputError with near names when a key is no loss."""
    needed = [loss_class(key).needs_teacher for key in losses]  # all looked up: any may be unknown
    return any(needed)


def spread_images(losses: Iterable[str]) -> bool:
    """Whether any of these losses pushes images of a batch apart."""
    return any(getattr(loss_class(key), "spreads_images", False) for key in losses)


def loss_class(key: str) -> type[Any]:
    """The class of a loss. Raises InputError with near names when the key names none."""
    found: type[Any] = member("losses", Term.parse(key).name, "loss").Loss
    return found


def check_parameters(losses: Iterable[str]) -> None:
    """Raise InputError when a loss does not take these parameters, or not these values of them."""
    for key in losses:
        checked(loss_class(key), Term.parse(key))


def check_meaning(losses: Iterable[str], kind: KindName) -> None:
    """Raise InputError when one of these losses has no meaning for this kind of task; it says so in `kinds`."""
    for key in losses:
        kinds: tuple[KindName, ...] | None = getattr(loss_class(key), "kinds", None)
        if kinds is not None and kind not in kinds:
            raise InputError(
                f"The loss {name_of(key)} has no meaning for a task of the kind {kind}",
                found="it compares probabilities of classes of which an image has exactly one",
                allowed=f"kind {', '.join(kinds)}; for this kind kl, align_uniform and the other losses on embeddings",
                next_step="take one of these",
            )


def build(weights: Mapping[str, Weight], setup: Setup) -> WeightedSum:
    """The losses of one stage. Raises InputError with near names when a key is no loss, or none of its parameters."""
    return WeightedSum({key: _built(key, setup) for key in weights}, weights)


def _built(key: str, setup: Setup) -> nn.Module:
    loss = loss_class(key)
    built: nn.Module = loss(setup, **checked(loss, Term.parse(key)))
    return built


class WeightedSum(nn.Module):
    """Σ weight · loss, and each unweighted value for the log. A weight (first, last) is linear in the progress."""

    def __init__(self, losses: dict[str, nn.Module], weights: Mapping[str, Weight]) -> None:
        super().__init__()
        self.losses = nn.ModuleDict({name_of(key): loss for key, loss in losses.items()})  # torch forbids dots
        self.weights = dict(weights)

    def forward(self, signals: Signals) -> tuple[Float[Tensor, ""], Float[Tensor, " losses"]]:
        """Total to differentiate, and the detached values in the order of `names`."""
        values = [loss(signals) for loss in self.losses.values()]
        weights = [weight_at(weight, signals.progress) for weight in self.weights.values()]
        total = torch.stack([weight * value for weight, value in zip(weights, values, strict=True)]).sum()
        return total, torch.stack([value.detach() for value in values])

    def mean_total(self, values: Float[Tensor, "steps losses"], progress: Float[Tensor, " steps"]) -> float:
        """Mean over steps of the total that was minimised, from the values of each step and its progress."""
        weights = torch.tensor(
            [[weight_at(each, done) for each in self.weights.values()] for done in progress.tolist()]
        )
        return float((weights.double() * values.double()).sum(dim=1).mean())

    @property
    def names(self) -> list[str]:
        """Keys in the order of the values."""
        return list(self.weights)


def weight_at(weight: Weight, progress: float) -> float:
    """The weight after this share of the training."""
    first, last = weight if isinstance(weight, tuple) else (weight, weight)
    return first + (last - first) * progress
