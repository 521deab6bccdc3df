"""In-batch contrast of student and teacher embeddings (van den Oord et al. 2018, arXiv 1807.03748).

The teacher's embedding of the same view is the positive, those of the batch's other images are the negatives, and the
other way round. `docs/reduction.md` shows what it has to do with `align_uniform`.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from azeotrope.losses._contract import Setup
from azeotrope.losses._embedding import PairLoss, one_image, require_images
from azeotrope.losses._parameters import Count, Hidden, Positive


class Loss(PairLoss):
    """½ [CE(S / τ) + CE(Sᵀ / τ)] − log B, with S_ij = ⟨â_s,i, â_t,j⟩ and CE the mean over rows of −log softmax_ii.

    Left open by the method, and chosen here: the mean of both directions, as in CLIP (Radford et al. 2021,
    arXiv 2103.00020); τ is fixed; the projectors are those of `align_uniform`; log B is subtracted. That constant
    changes no gradient, and takes out of the value what depends on the batch only: 0 is chance, a batch shown twice
    gives the same, and the value estimates a bound, mutual information ≥ −value, which no value below −log B can
    claim. The number of negatives still is B − 1. Views of one image in a batch, as balanced sampling shows them, are
    no negatives of each other, and B is then the mean over rows, in logs, of what is left. Batches of one row have none
    and are refused.
    """

    def __init__(self, setup: Setup, *, width: Count = 128, hidden: Hidden = 128, tau: Positive = 0.07) -> None:
        super().__init__(setup, width, hidden)
        self.tau = tau

    def value(
        self, student: Float[Tensor, "B D"], teacher: Float[Tensor, "B D"], places: Int[Tensor, " B"] | None = None
    ) -> Float[Tensor, ""]:
        """The loss of unit rows; never below −log B."""
        images = len(student)
        require_images(images, 2, "the negatives are the other images")
        itself = torch.eye(images, dtype=torch.bool, device=student.device)
        again = one_image(places, student) & ~itself
        similarity = (student @ teacher.T / self.tau).masked_fill(again, -math.inf)
        rows = torch.arange(images, device=student.device)
        both = functional.cross_entropy(similarity, rows) + functional.cross_entropy(similarity.T, rows)
        return both / 2 - (~again).sum(dim=1, dtype=student.dtype).log().mean()
