"""In-batch contrast of student and teacher embeddings (van den Oord et al. 2018, arXiv 1807.03748).

The teacher's embedding of the same view is the positive, those of the batch's other images are the negatives, and the
other way round. `docs/reduction.md` shows what it has to do with `align_uniform`.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from azeotrope.losses._contract import Setup
from azeotrope.losses._embedding import PairLoss, require_images
from azeotrope.losses._parameters import Count, Hidden, Positive


class Loss(PairLoss):
    """½ [CE(S / τ) + CE(Sᵀ / τ)] − log B, with S_ij = ⟨â_s,i, â_t,j⟩ and CE the mean over rows of −log softmax_ii.

    Left open by the method, and chosen here: the mean of both directions, as in CLIP (Radford et al. 2021,
    arXiv 2103.00020); τ is fixed; the projectors are those of `align_uniform`; log B is subtracted. That constant
    changes no gradient, and takes out of the value what depends on the batch only: 0 is chance, a batch shown twice
    gives the same, and the value estimates a bound, mutual information ≥ −value, which no value below −log B can
    claim. The number of negatives still is B − 1. Batches of one image have none and are refused.
    """

    def __init__(self, setup: Setup, *, width: Count = 128, hidden: Hidden = 128, tau: Positive = 0.07) -> None:
        super().__init__(setup, width, hidden)
        self.tau = tau

    def value(self, student: Float[Tensor, "B D"], teacher: Float[Tensor, "B D"]) -> Float[Tensor, ""]:
        """The loss of unit rows; never below −log B."""
        images = len(student)
        require_images(images, 2, "the negatives are the other images")
        similarity = student @ teacher.T / self.tau
        itself = torch.arange(images, device=student.device)
        both = functional.cross_entropy(similarity, itself) + functional.cross_entropy(similarity.T, itself)
        return both / 2 - math.log(images)
