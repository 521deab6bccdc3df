"""Any number of classes an image, or none: a sigmoid for each, and 1 − mAP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from azeotrope.errors import InputError
from azeotrope.kinds._calibration import expected_calibration_error
from azeotrope.kinds._kind import Kind, Labels, Scale
from azeotrope.kinds._precision import mean_average_precision
from azeotrope.kinds.single import shortened

SEPARATOR = ";"  # between labels where they are shown; one in a table may be another


class Multi(Kind):
    """Labels are [n, C] of True and False. Sums go over classes and means over images, so that the loss is minus the
    log-likelihood of an image's labels, and one class more in which all are sure changes nothing.
    """

    name = "multi"
    fewest_classes = 1
    knowing_nothing = "the shares of images that show each class"
    labels_are = "images of several classes at once"
    evened_by = ("class_weights",)

    def array(self, labels: Sequence[Any], classes: int) -> Labels:
        """From the class numbers of each image."""
        table = np.zeros((len(labels), classes), dtype=np.bool_)
        for row, shown in enumerate(labels):
            table[row, list(shown)] = True
        return table

    def texts(self, labels: Labels, classes: Sequence[str]) -> list[str]:
        """The names of the classes that it shows, none for an image that shows none."""
        return [SEPARATOR.join(classes[place] for place in np.flatnonzero(row).tolist()) for row in labels]

    def counts(self, labels: Labels, classes: int) -> NDArray[np.int64]:
        """How many images show each class [C]; an image with several counts for each of them."""
        return np.asarray(labels.sum(axis=0, dtype=np.int64))

    def require(self, labels: Labels, classes: Sequence[str], made: Sequence[str]) -> None:
        """Every class needs an image that shows it, and one that does not, for training and each split made here."""
        need = 1 + len(made)
        _require_both(labels, classes, need, f"for {', '.join(('train', *made))}")

    def require_split(self, labels: Labels, classes: Sequence[str], split: str) -> None:
        """One image at least that shows each class, and one that does not."""
        _require_both(labels, classes, 1, f"in the split {split}")

    def held_out(self, labels: Labels, share: float) -> NDArray[np.int64]:
        """The beginning of `spread`: this share, and of few images as many more as it takes to judge every class."""
        count = max(1, round(share * len(labels)))
        order = self.spread(labels, min(len(labels), max(count, labels.shape[1] + 1)))
        while count < len(order) and not _both(labels[order[:count]]):
            count += 1
        return order[:count]

    def spread(self, labels: Labels, count: int) -> NDArray[np.int64]:
        """Image after image for the class that is furthest behind its share, "none of them" being a class too.

        After the idea of Sechidis et al. 2011 (ECML), image by image so that beginnings are nested. As soon as `count`
        reaches the number of classes each has an image; shares hold approximately, since labels come together.
        """
        shown = np.column_stack([labels, ~labels.any(axis=1)])
        shares = shown.mean(axis=0)
        waiting = [iter(np.flatnonzero(shown[:, place]).tolist()) for place in range(shown.shape[1])]
        behind = np.where(shares > 0, 0.0, np.inf)  # what each class has, over its share
        rarest_first = np.argsort(shares, kind="stable")
        used = np.zeros(len(labels), dtype=np.bool_)
        places: list[int] = []
        while len(places) < count:
            wanted = rarest_first[np.argmin(behind[rarest_first])]
            image = next((place for place in waiting[wanted] if not used[place]), None)
            if image is None:
                behind[wanted] = np.inf
                continue
            used[image] = True
            places.append(image)
            behind[shown[image]] += 1 / shares[shown[image]]
        return np.array(places, dtype=np.int64)

    def strata_of(self, labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The classes that it shows, or the last stratum where it shows none."""
        images, strata = np.nonzero(np.column_stack([labels, ~labels.any(axis=1)]))
        return images, strata

    def targets(self, labels: Labels, scale: Scale) -> Tensor:
        """0 and 1 for each class."""
        return torch.from_numpy(labels).float()

    def loss(
        self,
        outputs: Float[Tensor, "n C"],
        targets: Tensor,
        smoothing: float = 0.0,
        weights: Float[Tensor, " C"] | None = None,
    ) -> Float[Tensor, ""]:
        """Mean over images of the sum over classes of binary cross-entropy, −y log σ(z) − (1 − y) log σ(−z); a class's
        term times its weight.
        """
        if weights is None:
            return self.losses(outputs, targets).mean()
        each = functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        return (each * weights).sum(dim=1).mean()

    def scaled(self, weights: NDArray[np.float64], often: NDArray[np.float64]) -> NDArray[np.float64]:
        """Their mean over the classes is 1: every image has a term of each."""
        return np.asarray(weights / weights.mean())

    def losses(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> Float[Tensor, " n"]:
        """Σ_c −y log σ(z) − (1 − y) log σ(−z)."""
        return functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(dim=1)

    def curvature(self, outputs: Float[Tensor, "*n C"]) -> Float[Tensor, "*n C"]:
        """Of each class with probability p: p (1 − p)."""
        p = outputs.sigmoid()
        return p * (1 - p)

    def shares(self, targets: Tensor) -> Float[Tensor, " C"]:
        """The log odds of each class, of its share with half an image added on either side."""
        return torch.logit((targets.sum(dim=0) + 0.5) / (len(targets) + 1))

    def divergence(
        self, student: Float[Tensor, "n C"], teacher: Float[Tensor, "n C"], temperature: float
    ) -> Float[Tensor, ""]:
        """T² · mean over images of Σ_c KL(σ(z_t / T) ‖ σ(z_s / T)), each class a yes or no of its own.

        With one class it is what two classes of logits (z, 0) give for a single label.
        """
        said, wanted = student / temperature, teacher / temperature
        p, log = wanted.sigmoid(), functional.logsigmoid
        each = p * (log(wanted) - log(said)) + (1 - p) * (log(-wanted) - log(-said))
        return each.sum(dim=1).mean() * temperature**2

    def averaged(self, outputs: Sequence[Float[Tensor, "n C"]]) -> Float[Tensor, "n C"]:
        """The logits of the mean of the members' probabilities."""
        members = torch.stack([output.float() for output in outputs])
        return functional.logsigmoid(members).logsumexp(0) - functional.logsigmoid(-members).logsumexp(0)

    def error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float:
        """1 − mAP, the mean over classes that some image shows of the average precision of their ranking."""
        return 1 - mean_average_precision(outputs.cpu().numpy(), targets.cpu().numpy() > 0)

    def calibration_error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float | None:
        """Of the probability of a yes, all images and classes together."""
        return expected_calibration_error(outputs.double().sigmoid().flatten().numpy(), (targets > 0).flatten().numpy())

    def metrics(self, outputs: Float[Tensor, "n C"], targets: Tensor, scale: Scale) -> dict[str, float]:
        """mAP, and the share of all (image, class) whose probability is on the wrong side of one half."""
        wrong = ((outputs > 0) != (targets > 0)).double().mean().item()
        return {"map": 1 - self.error(outputs, targets), "label_error": wrong}

    def probabilities(self, outputs: Float[Tensor, "n C"]) -> NDArray[np.float64] | None:
        """By sigmoid, each class for itself."""
        return np.asarray(outputs.double().sigmoid().numpy())

    def said(self, outputs: Float[Tensor, "n C"], scale: Scale) -> NDArray[Any]:
        """Whether the probability of each class is above one half."""
        return np.asarray((outputs > 0).numpy())


def _both(labels: Labels) -> bool:
    """Whether each class is shown by some image, and not by some other."""
    return bool(labels.any(axis=0).all() and not labels.all(axis=0).any())


def _require_both(labels: Labels, classes: Sequence[str], need: int, where: str) -> None:
    shown = labels.sum(axis=0)
    for what, counts in (("shows", shown), ("does not show", len(labels) - shown)):
        short = np.flatnonzero(counts < need)
        if len(short):
            listed = ", ".join(f"{shortened(classes[place])}: {counts[place]}" for place in short[:5])
            raise InputError(
                f"Every class needs images of which it is told that one {what} it, {where}",
                found=listed + (f" and {len(short) - 5} classes more" if len(short) > 5 else ""),
                allowed=f"at least {need} a class (readable, each image counted once)",
                next_step="add such images or leave these classes out",
            )


KIND = Multi()
