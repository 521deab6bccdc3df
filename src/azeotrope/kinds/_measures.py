"""A kind of task judged by another measure than its own error: `--metric`.

It changes what chooses and decides, never what is learnt: heads, losses and answers stay those of the kind.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from azeotrope.errors import InputError
from azeotrope.kinds._kind import Kind, Labels, Scale
from azeotrope.kinds._own_measure import judged_by_own, require_own
from azeotrope.kinds.single import Single
from azeotrope.own_code import FILE
from azeotrope.recipe import BALANCED, OWN_ERROR, TOP5
from azeotrope.record.kinds import IMAGE_ERROR, PER_CLASS

_OF_TOP = 5


class _Measured(Single):
    """One class an image, with the share of wrong images among its further measures."""

    def metrics(self, outputs: Float[Tensor, "n C"], targets: Tensor, scale: Scale) -> dict[str, float]:
        """Those of the kind, and the share of images that get another class."""
        return {**super().metrics(outputs, targets, scale), IMAGE_ERROR: Single.error(self, outputs, targets)}


class Balanced(_Measured):
    """By the mean of the classes' errors."""

    over_images = False

    def error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float:
        """The mean, over the classes that are shown, of the share of their images that get another class."""
        return Single.metrics(self, outputs, targets, Scale())[PER_CLASS]


class Top5(_Measured):
    """By whether the class is among the five largest scores."""

    def error(self, outputs: Float[Tensor, "n C"], targets: Tensor) -> float:
        """Share of images whose class is not among them."""
        return 1 - _among(outputs, targets).double().mean().item()

    def right(self, outputs: Float[Tensor, "n C"], labels: Labels, scale: Scale) -> NDArray[np.bool_] | None:
        """Whether the true class is among the five with the largest scores, for each image [n]."""
        return np.asarray(_among(outputs, torch.from_numpy(labels)).numpy())


_MEASURED: dict[str, Kind] = {BALANCED: Balanced(), TOP5: Top5()}


def judged_by(kind: Kind, metric: str) -> Kind:
    """The kind with this measure in the place of its own error."""
    if metric.startswith(FILE):
        return judged_by_own(kind, metric)
    return kind if metric == OWN_ERROR else _MEASURED[metric]


def require_metric(kind: Kind, classes: int, metric: str) -> None:
    """Raise InputError where this kind of task, or so few classes, cannot be judged by it."""
    if metric == OWN_ERROR:
        return
    if metric.startswith(FILE):
        require_own(kind, classes, metric)
        return
    if kind.name != "single":
        raise InputError(
            f"The measure {metric} is of one class an image",
            found=f"a task of the kind {kind.name}",
            allowed=f"{OWN_ERROR}, which is a mean over classes or of squares there",
            next_step="leave --metric out",
        )
    if metric == TOP5 and classes <= _OF_TOP:
        raise InputError(
            f"The measure {metric} needs more than {_OF_TOP} classes",
            found=f"{classes} classes: five answers name all of them",
            allowed=f"{OWN_ERROR} or {BALANCED}",
            next_step="take another --metric",
        )


def _among(outputs: Float[Tensor, "n C"], targets: Tensor) -> Tensor:
    return (outputs.topk(_OF_TOP, dim=1).indices == targets[:, None]).any(dim=1)
