"""Which images of the batch resemble each other, by their inner products (Tung & Mori 2019, arXiv 1907.09682).

Similarities have no width, so student and teacher features are compared as they are, without projectors.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import full_precision, require_images, unit


def resemblance(features: Float[Tensor, "B D"]) -> Float[Tensor, "B B"]:
    """Inner products of all pairs of images, each row divided by its length."""
    return unit(features @ features.T)


class Loss(nn.Module):
    """‖norm(F_s F_sᵀ) − norm(F_t F_tᵀ)‖² / B: the mean over images of the squared distance of unit rows, 0 to 4.

    The paper divides by B². Its rows have length 1 whatever B, so that its value halves when the batch doubles, and a
    weight γ there must grow with B. Divided by B, a batch shown twice gives the same value, and γ at batch size B is
    the weight γ / B here: RepDistiller's 3000 at B = 64 is 46.9. What of B is left: an image's similarity with
    itself is its row's largest entry and agrees by itself, so that small batches look a little more alike.
    Batches of one image have no pairs and are refused.
    """

    needs_teacher = True
    relates_images = True

    def __init__(self, setup: Setup) -> None:
        super().__init__()

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Pooled features, [B, F] of the student and [B, G] of the teacher, to one number."""
        assert signals.teacher_features is not None
        require_images(len(signals.features), 2, "similarities need pairs")
        with full_precision(signals.features):
            student, teacher = resemblance(signals.features.float()), resemblance(signals.teacher_features.float())
            return (student - teacher).square().sum(dim=1).mean()
