"""Regression of the teacher's features from the student's, in standard units (Romero et al. 2015, arXiv 1412.6550)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import projector, standardised


class Loss(nn.Module):
    """Mean over images and features of (n(g(f_s)) − n(f_t))², n(x) = (x − mean of x) / sd of x. From 0 to 4.

    Left open by the method, and chosen here. Only the student has a projector g (Linear-ReLU-Linear to the teacher's
    width): with one for the teacher too, two constants would be the optimum. Features are standardised image by image:
    with unit length instead, ‖a − b‖² = 2 (1 − ⟨a, b⟩) would make this twice `feature_cosine`. It is 2 (1 − r), r the
    correlation over features, and so ignores the offset that features behind a ReLU share.
    """

    needs_teacher = True
    relates_images = False

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self.projector = projector(setup.student_features, setup.teacher_features)

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Pooled features, [B, F] of the student and [B, G] of the teacher, to one number."""
        assert signals.teacher_features is not None
        student = self.projector(signals.features)
        return functional.mse_loss(standardised(student), standardised(signals.teacher_features))
