"""Alignment and uniformity of projected embeddings: the contrastive loss of Farhat & Chen 2024 (arXiv 2404.03263).

The positive of a student's embedding is the teacher's embedding of the same view; alignment pulls them together,
uniformity keeps each set spread over the sphere (Wang & Isola 2020, arXiv 2005.10242).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from azeotrope.losses._contract import Setup
from azeotrope.losses._embedding import PairLoss, one_image, require_images
from azeotrope.losses._parameters import Count, Hidden, NotNegative, Positive


def alignment(a: Float[Tensor, "B D"], b: Float[Tensor, "B D"], power: float = 2.0) -> Float[Tensor, ""]:
    """Mean of ‖a_i − b_i‖^power over the batch, for unit rows. Zero when equal.

    For power 2 the square root, whose gradient is infinite at zero, is never taken.
    """
    squared = (a - b).square().sum(dim=1)
    return squared.mean() if power == 2.0 else squared.clamp_min(1e-12).pow(power / 2).mean()


def uniformity(x: Float[Tensor, "B D"], t: float = 2.0, same: Bool[Tensor, "B B"] | None = None) -> Float[Tensor, ""]:
    """Log of the mean over pairs i < j of exp(−t ‖x_i − x_j‖²), for unit rows; lower is more uniform. Pairs that are
    the `same` image do not count (None: each row is another); 0 where there is no other pair.

    One Gram matrix gives all distances: ‖x_i − x_j‖² = 2 − 2⟨x_i, x_j⟩.
    """
    same = one_image(None, x) if same is None else same
    similarity = 2 * t * (x @ x.T) - 2 * t
    alone, pairs = same.all(), (~same).sum(dtype=x.dtype)
    spread = similarity.masked_fill(same & ~alone, -math.inf).flatten().logsumexp(0) - pairs.clamp_min(1).log()
    return torch.where(alone, 0.0, spread)


class Loss(PairLoss):
    """w_a · alignment(â_s, â_t) + w_u · ½ [uniformity(â_s) + uniformity(â_t)], â = g(f) / |g(f)|.

    Student and teacher have a projector each and both learn: with a fixed random teacher projection the target would
    be arbitrary, with none the embeddings' widths would have to agree. With `hidden=features` they are those of the
    authors' code: F to F to 128, each as wide as its network's embeddings. Views of one image in a batch, as balanced
    sampling shows them, are not pushed apart. Batches of one row have no pairs and are refused.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        width: Count = 128,
        hidden: Hidden = 128,
        alpha: Positive = 2.0,
        t: Positive = 2.0,
        align_weight: NotNegative = 1.0,
        uniform_weight: NotNegative = 1.0,
    ) -> None:
        super().__init__(setup, width, hidden)
        self.alpha, self.t = alpha, t
        self.align_weight, self.uniform_weight = align_weight, uniform_weight

    def value(
        self, student: Float[Tensor, "B D"], teacher: Float[Tensor, "B D"], places: Int[Tensor, " B"] | None = None
    ) -> Float[Tensor, ""]:
        """The loss of unit rows."""
        require_images(len(student), 2, "uniformity needs pairs")
        same = one_image(places, student)
        spread = (uniformity(student, self.t, same) + uniformity(teacher, self.t, same)) / 2
        return self.align_weight * alignment(student, teacher, self.alpha) + self.uniform_weight * spread
