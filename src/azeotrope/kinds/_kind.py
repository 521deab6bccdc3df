"""The contract of a kind of task: how its labels are kept, divided, learnt from, distilled and judged.

A kind holds no state: what depends on a run's own images (the `Scale` of a number) is passed in. Words for people are
in `record.kinds`, which needs no torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from azeotrope.labels import KindName
from azeotrope.lookup import member

Labels = NDArray[Any]  # [n] class numbers, [n, C] of 0 and 1, or [n] values: one row an image


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of a run's training targets, in their unit; networks learn (value − mean) / sd."""

    mean: float = 0.0
    sd: float = 1.0

    def fold(self, head: nn.Linear) -> None:
        """Change a head that answers standardised values into one that answers values in their unit, in place."""
        if self == UNSCALED:
            return
        with torch.no_grad():
            head.weight *= self.sd
            head.bias.copy_(head.bias * self.sd + self.mean)


UNSCALED = Scale()


class Kind(ABC):
    """One kind of task. `outputs` are [n, C]: one column a class, or a single column for a number.

    Errors are fractions in [0, 1], lower is better, 1 what knowing nothing costs at most. `tempered`: whether outputs
    are scores that a temperature makes more or less sure; `over_images`: whether the error, where single answers are
    right or wrong (`right`), is the share of wrong ones. `evened_by` names the fields of a recipe for classes of
    unequal size that have a meaning here; what the labels are says why others have none.
    """

    name: KindName
    fewest_classes: int
    knowing_nothing: str  # what `shares` is, in a sentence
    smooths_labels: bool = False
    tempered: bool = True
    over_images: bool = True
    labels_are: str
    evened_by: tuple[str, ...] = ()

    # Labels of a whole set: `data` keeps and divides them.

    @abstractmethod
    def array(self, labels: Sequence[Any], classes: int) -> Labels:
        """The labels of all images as one array."""

    @abstractmethod
    def texts(self, labels: Labels, classes: Sequence[str]) -> list[str]:
        """Each label as a person would write it; equal texts mean equal labels."""

    def codes(self, labels: Labels) -> NDArray[np.int64]:
        """A number for each label [n], equal for equal labels."""
        return np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)

    @abstractmethod
    def counts(self, labels: Labels, classes: int) -> NDArray[np.int64]:
        """Images that show each class [C]; of a number, all of them [1]."""

    def quantiles(self, labels: Labels) -> tuple[float, ...]:
        """Lowest, middle and highest value, where labels have one; else none."""
        return ()

    @abstractmethod
    def require(self, labels: Labels, classes: Sequence[str], made: Sequence[str]) -> None:
        """Raise InputError when these images cannot be divided into those that train and the splits `made` here."""

    def require_split(self, labels: Labels, classes: Sequence[str], split: str) -> None:
        """Raise InputError when nothing can be learnt from, or judged on, the images of this split."""
        return

    def strata(self, classes: int) -> int:
        """How many strata of images a split should have some of: the classes."""
        return classes

    def needed_strata(self, classes: int) -> int:
        """How many of `strata_of`, the first ones, every split must show: the classes."""
        return classes

    @abstractmethod
    def strata_of(self, labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of an image's place and a stratum that it is of; every image is of one at least."""

    @abstractmethod
    def held_out(self, labels: Labels, share: float) -> NDArray[np.int64]:
        """Places of this share of the images, alike in labels to the rest; among equals the first are taken."""

    @abstractmethod
    def spread(self, labels: Labels, count: int) -> NDArray[np.int64]:
        """Places of `count` images in an order of which every beginning is alike in labels to the whole."""

    # Training: the loop and the losses see outputs and targets.

    def scale(self, labels: Labels) -> Scale:
        """What standardises the targets of a run that trains on these images."""
        return UNSCALED

    @abstractmethod
    def targets(self, labels: Labels, scale: Scale) -> Tensor:
        """What the outputs are compared with: [n] or [n, C]."""

    @abstractmethod
    def loss(
        self,
        outputs: Float[Tensor, "n C"],
        targets: Tensor,
        smoothing: float = 0.0,
        weights: Float[Tensor, " C"] | None = None,
    ) -> Float[Tensor, ""]:
        """Cross-entropy with the labels, a mean over images; where classes are weighted (`_balance`), each term times
        its class's weight.
        """

    def scaled(self, weights: NDArray[np.float64], often: NDArray[np.float64]) -> NDArray[np.float64]:
        """Class weights [C] in these ratios with which learning rates mean what they mean without: their mean over the
        labels that are shown, so `often` of each class, is 1.
        """
        return np.asarray(weights * often.sum() / (weights * often).sum())

    @abstractmethod
    def losses(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> Float[Tensor, " n"]:
        """Cross-entropy with the label of each image, in nats: `loss` is their mean."""

    @abstractmethod
    def curvature(self, outputs: Float[Tensor, "*n C"]) -> Float[Tensor, "*n C"]:
        """The second derivative of an image's loss by each of its outputs; the label has no part in it."""

    @abstractmethod
    def shares(self, targets: Tensor) -> Float[Tensor, " C"]:
        """Of all outputs that are the same for every image, those with the lowest loss on these targets."""

    @abstractmethod
    def divergence(
        self, student: Float[Tensor, "n C"], teacher: Float[Tensor, "n C"], temperature: float
    ) -> Float[Tensor, ""]:
        """T² times the Kullback-Leibler divergence of what the student says from what the teacher says at temperature
        T, a mean over images; 0 where both say the same.
        """

    @abstractmethod
    def averaged(self, outputs: Sequence[Float[Tensor, "n C"]]) -> Float[Tensor, "n C"]:
        """The outputs of several teachers as one's: those of the mean of what they say."""

    # Judging: validation and test.

    @abstractmethod
    def error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float:
        """The one number by which runs are compared."""

    def log_loss(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float | None:
        """Mean over images of −log p(label), in nats; None where outputs are no probabilities."""
        return self.losses(outputs, targets).double().mean().item()

    def calibration_error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float | None:
        """Expected calibration error, 0 to 1; None where outputs are no probabilities."""
        return None

    @abstractmethod
    def metrics(self, outputs: Float[Tensor, "n C"], targets: Tensor, scale: Scale) -> dict[str, float]:
        """Further measures for the record, by the names of `record.kinds`."""

    def probabilities(self, outputs: Float[Tensor, "n C"]) -> NDArray[np.float64] | None:
        """Of each class [n, C]; None where outputs are no probabilities."""
        return None

    @abstractmethod
    def said(self, outputs: Float[Tensor, "n C"], scale: Scale) -> NDArray[Any]:
        """The answer on each image, in the form of its labels."""

    def right(self, outputs: Float[Tensor, "n C"], labels: Labels, scale: Scale) -> NDArray[np.bool_] | None:
        """Whether the answer on each image is right [n], by the measure that judges; None where none is."""
        return self.correct(self.said(outputs, scale), labels)

    def correct(self, said: NDArray[Any], labels: Labels) -> NDArray[np.bool_] | None:
        """Whether each answer is right [n], where the error is the share of wrong ones; else None."""
        return None


def kind_named(name: KindName) -> Kind:
    """The kind of that name. Raises InputError with the names there are."""
    return cast("Kind", member("kinds", name, "kind of task").KIND)
