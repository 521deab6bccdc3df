"""One class an image: softmax, and the share of images whose largest score is not their class's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from azeotrope.errors import InputError
from azeotrope.kinds import _strata
from azeotrope.kinds._calibration import expected_calibration_error
from azeotrope.kinds._kind import Kind, Labels, Scale

UNLABELLED = -100  # the class of a picture that has none: torch's cross-entropy passes it over


class Single(Kind):
    """Labels are class numbers; the strata of splits and subsets are the classes."""

    name = "single"
    fewest_classes = 2
    knowing_nothing = "the class shares"
    smooths_labels = True
    labels_are = "labels of one class an image"
    evened_by = ("class_weights", "sampling", "logit_adjustment")

    def array(self, labels: Sequence[Any], classes: int) -> Labels:
        """Class numbers [n], from 0 in the order of the classes."""
        return np.array(labels, dtype=np.int64)

    def texts(self, labels: Labels, classes: Sequence[str]) -> list[str]:
        """The name of each label's class."""
        return [classes[label] for label in labels.tolist()]

    def codes(self, labels: Labels) -> NDArray[np.int64]:
        """The labels themselves: class numbers are codes already."""
        return labels

    def counts(self, labels: Labels, classes: int) -> NDArray[np.int64]:
        """How many images are of each class [C]; 0 for a class that none shows."""
        return np.bincount(labels, minlength=classes)

    def require(self, labels: Labels, classes: Sequence[str], made: Sequence[str]) -> None:
        """Every class needs one image to train on and one for each split that is made."""
        need = 1 + len(made)
        counts = self.counts(labels, len(classes))
        short = np.flatnonzero(counts < need)
        if len(short):
            listed = ", ".join(f"{shortened(classes[label])} has {counts[label]}" for label in short[:5])
            raise InputError(
                "A class has fewer images than the splits need",
                found=listed
                + (f" and {len(short) - 5} classes more" if len(short) > 5 else "")
                + " (readable, each counted once, outside the splits that were given)",
                allowed=f"at least {need} a class: 1 each for {', '.join(('train', *made))}",
                next_step="add images to these classes or leave the classes out",
            )

    def held_out(self, labels: Labels, share: float) -> NDArray[np.int64]:
        """Places of this share of each class, at least one image of it."""
        return _strata.held_out(labels, share)

    def spread(self, labels: Labels, count: int) -> NDArray[np.int64]:
        """Places of `count` images; every beginning has the classes in their shares, as far as whole images can."""
        return _strata.spread(labels, count)

    def strata_of(self, labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each image with its class: the strata are the classes."""
        return np.arange(len(labels)), labels

    def targets(self, labels: Labels, scale: Scale) -> Tensor:
        """Class numbers [n] as a tensor, which cross-entropy reads; `scale` plays no part."""
        return torch.from_numpy(labels)

    def loss(
        self,
        outputs: Float[Tensor, "n C"],
        targets: Tensor,
        smoothing: float = 0.0,
        weights: Float[Tensor, " C"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean over the labelled images of −Σ_c q_c log softmax(z)_c, with q the one-hot label smoothed to uniform;
        an image's term times the weight of its class.

        Label smoothing: Szegedy et al. 2016, arXiv 1512.00567, section 7.
        """
        cross_entropy = partial(functional.cross_entropy, ignore_index=UNLABELLED, label_smoothing=smoothing)
        if weights is None:
            return cross_entropy(outputs, targets)
        labelled = targets != UNLABELLED
        each = cross_entropy(outputs, targets, reduction="none") * weights[targets.where(labelled, 0)]
        return each.sum() / labelled.sum()  # not over the weights, which would be another mean in every batch

    def losses(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> Float[Tensor, " n"]:
        """−log softmax(z)_y of each image, in nats."""
        return functional.cross_entropy(outputs, targets, reduction="none")

    def curvature(self, outputs: Float[Tensor, "*n C"]) -> Float[Tensor, "*n C"]:
        """Of each class with probability p: p (1 − p)."""
        p = outputs.softmax(-1)
        return p * (1 - p)

    def shares(self, targets: Tensor) -> Float[Tensor, " C"]:
        """The log of each class's share; of classes up to the highest that occurs."""
        return torch.bincount(targets).double().div(len(targets)).log().float()

    def divergence(
        self, student: Float[Tensor, "n C"], teacher: Float[Tensor, "n C"], temperature: float
    ) -> Float[Tensor, ""]:
        """T² · mean of KL(softmax(z_t / T) ‖ softmax(z_s / T)); a sum over classes, never a mean."""
        said = functional.log_softmax(student / temperature, dim=1)
        wanted = functional.log_softmax(teacher / temperature, dim=1)
        return functional.kl_div(said, wanted, reduction="batchmean", log_target=True) * temperature**2

    def averaged(self, outputs: Sequence[Float[Tensor, "n C"]]) -> Float[Tensor, "n C"]:
        """The log of the mean of the members' probabilities, so that its softmax is that mean."""
        scores = torch.stack([output.float().log_softmax(dim=1) for output in outputs])
        return scores.logsumexp(dim=0) - math.log(len(outputs))

    def error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float:
        """Share of images that are given another class than theirs."""
        return (outputs.argmax(1) != targets).double().mean().item()

    def calibration_error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float | None:
        """Of the probability of the answer, the class of the largest score."""
        said, answers = outputs.double().softmax(dim=1).max(dim=1)
        return expected_calibration_error(said.numpy(), (answers == targets).numpy())

    def metrics(self, outputs: Float[Tensor, "n C"], targets: Tensor, scale: Scale) -> dict[str, float]:
        """The mean, over the classes with test images, of the share of a class's images that get another class: every
        class counts alike, however many images it has.

        The measure of the Caltech-101 and CUB-200 protocols (Fei-Fei et al. 2004; Wah et al. 2011).
        """
        wrong = (outputs.argmax(1) != targets).double()
        images = torch.bincount(targets, minlength=outputs.shape[1])
        errors = torch.bincount(targets, weights=wrong, minlength=outputs.shape[1])
        shown = images > 0
        return {"per_class_error": (errors[shown] / images[shown]).mean().item()}

    def probabilities(self, outputs: Float[Tensor, "n C"]) -> NDArray[np.float64] | None:
        """Softmax of the outputs, [n, C]; each row sums to 1."""
        return np.asarray(outputs.double().softmax(dim=1).numpy())

    def said(self, outputs: Float[Tensor, "n C"], scale: Scale) -> NDArray[Any]:
        """The class of the largest score."""
        return outputs.argmax(1).numpy()

    def correct(self, said: NDArray[Any], labels: Labels) -> NDArray[np.bool_] | None:
        """Whether each answer is the class of its image [n]."""
        return np.asarray(said == labels)


def shortened(name: str) -> str:
    """A class name in quotes, cut to what a message has room for."""
    return repr(name if len(name) <= 60 else f"{name[:57]}...")


KIND = Single()
