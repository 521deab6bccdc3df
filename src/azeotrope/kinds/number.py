"""One real value an image: squared error of the standardised value, and 1 − R²."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.errors import InputError
from azeotrope.kinds import _strata
from azeotrope.kinds._kind import Kind, Labels, Scale

GOLDEN = (5**0.5 - 1) / 2
STRATA, FEWEST_A_STRATUM = 10, 5  # ranges of equal numbers of images from which splits and subsets take their shares


class Number(Kind):
    """Labels are values in their unit. A prediction is taken as the centre of a normal distribution with the standard
    deviation of the training values: squared error is then its cross-entropy, and `kl` the divergence of two of them.
    """

    name = "number"
    fewest_classes = 1  # the name of what is measured
    knowing_nothing = "naming the mean"
    tempered = False
    labels_are = "labels that are numbers"

    def array(self, labels: Sequence[Any], classes: int) -> Labels:
        """The values [n] as float64, in their unit."""
        return np.array(labels, dtype=np.float64)

    def texts(self, labels: Labels, classes: Sequence[str]) -> list[str]:
        """The value to its last digit."""
        return [repr(value) for value in labels.tolist()]

    def counts(self, labels: Labels, classes: int) -> NDArray[np.int64]:
        """The number of all images [1]: a value has no classes."""
        return np.array([len(labels)])

    def quantiles(self, labels: Labels) -> tuple[float, ...]:
        """Lowest, middle and highest value, in their unit; empty without images."""
        return tuple(np.quantile(labels, (0, 0.5, 1)).tolist()) if len(labels) else ()

    def require(self, labels: Labels, classes: Sequence[str], made: Sequence[str]) -> None:
        """So many images that every split has some of every range."""
        least = FEWEST_A_STRATUM * (1 + len(made))
        if len(labels) < least:
            raise InputError(
                "There are too few images to be divided",
                found=f"{len(labels)} (readable, each counted once, outside the splits that were given)",
                allowed=f"at least {least}: {FEWEST_A_STRATUM} each for {', '.join(('train', *made))}",
                next_step="add images",
            )

    def require_split(self, labels: Labels, classes: Sequence[str], split: str) -> None:
        """Values that differ: what never changes cannot be explained."""
        if np.ptp(labels) == 0:
            raise InputError(
                f"The values of {classes[0]!r} must differ from each other, in every split",
                found=f"{labels[0]:g} for each of the {len(labels)} images in {split}",
                next_step="name another column with --label-column, or add images with other values",
            )

    def held_out(self, labels: Labels, share: float) -> NDArray[np.int64]:
        """Places of this share of the images: as many as `spread` puts first."""
        return self.spread(labels, round(share * len(labels)))

    def spread(self, labels: Labels, count: int) -> NDArray[np.int64]:
        """Places of `count` images, taken in turn from ranges of the value that hold equally many images."""
        return _strata.spread(ranges(labels), count)

    def strata(self, classes: int) -> int:
        """The number of ranges that `strata_of` divides the values into."""
        return STRATA

    def needed_strata(self, classes: int) -> int:
        """None: a split without one range of values can still be judged."""
        return 0

    def strata_of(self, labels: Labels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each image with the range that its value lies in."""
        return np.arange(len(labels)), ranges(labels)

    def scale(self, labels: Labels) -> Scale:
        """Mean and standard deviation of the training values."""
        return Scale(float(labels.mean()), float(labels.std()) or 1.0)

    def targets(self, labels: Labels, scale: Scale) -> Tensor:
        """(value − mean) / sd of the run's training images [n], float32."""
        return torch.from_numpy(((labels - scale.mean) / scale.sd).astype(np.float32))

    def loss(
        self,
        outputs: Float[Tensor, "n C"],
        targets: Tensor,
        smoothing: float = 0.0,
        weights: Float[Tensor, " C"] | None = None,
    ) -> Float[Tensor, ""]:
        """½ · mean of squared errors of standardised values; there are no classes to weight."""
        return self.losses(outputs, targets).mean()

    def losses(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> Float[Tensor, " n"]:
        """½ (prediction − value)², standardised: the log-loss of a normal of unit variance, but for a constant."""
        return (outputs[:, 0] - targets).square() / 2

    def curvature(self, outputs: Float[Tensor, "*n C"]) -> Float[Tensor, "*n C"]:
        """1: the loss is a parabola."""
        return torch.ones_like(outputs)

    def shares(self, targets: Tensor) -> Float[Tensor, " C"]:
        """The mean of the targets [1]: the constant with the lowest squared error."""
        return targets.mean()[None]

    def divergence(
        self, student: Float[Tensor, "n C"], teacher: Float[Tensor, "n C"], temperature: float
    ) -> Float[Tensor, ""]:
        """½ · mean of (prediction − teacher's prediction)², standardised, whatever the temperature: the divergence of
        two normals of variance T², times T².
        """
        return (student - teacher).square().sum(dim=1).mean() / 2

    def averaged(self, outputs: Sequence[Float[Tensor, "n C"]]) -> Float[Tensor, "n C"]:
        """The mean of the members' predictions [n, 1]."""
        return torch.stack([output.float() for output in outputs]).mean(dim=0)

    def error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float:
        """1 − R², the share of the variance that is left unexplained; at most 1, what naming the mean would leave."""
        return min(1.0, 1 - r_squared(outputs, targets))

    def log_loss(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float | None:
        """None: the student says a number and not how sure it is."""
        return None

    def metrics(self, outputs: Float[Tensor, "n C"], targets: Tensor, scale: Scale) -> dict[str, float]:
        """R² as it is, below zero where the mean would have been the better answer, and MAE in the value's unit."""
        mae = (outputs[:, 0].double() - targets.double()).abs().mean().item() * scale.sd
        return {"r2": r_squared(outputs, targets), "mae": mae}

    def said(self, outputs: Float[Tensor, "n C"], scale: Scale) -> NDArray[Any]:
        """Predicted values [n] in their unit: the standardisation is undone."""
        return np.asarray((outputs[:, 0].double() * scale.sd + scale.mean).numpy())


def r_squared(outputs: Float[Tensor, "n 1"], targets: Float[Tensor, " n"]) -> float:
    """1 − Σ (prediction − target)² / Σ (target − their mean)², in any unit; 0 where all targets are the same."""
    said, wanted = outputs[:, 0].double(), targets.double()
    variation = (wanted - wanted.mean()).square().sum().item()
    return 1 - (said - wanted).square().sum().item() / variation if variation > 0 else 0.0


def ranges(values: Labels) -> NDArray[np.int64]:
    """The range of each value [n]: up to ten, of equally many images as far as equal values allow.

    Neighbouring ranges have numbers far apart, so that a few images, which take the first ranges first, are from all
    over.
    """
    count = int(np.clip(len(values) // FEWEST_A_STRATUM, 1, STRATA))
    edges = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1])
    numbers = np.argsort(np.argsort(np.arange(count) * GOLDEN % 1))
    return numbers[np.searchsorted(edges, values, side="right")].astype(np.int64)


KIND = Number()
