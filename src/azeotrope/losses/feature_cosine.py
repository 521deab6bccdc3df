"""Direction of the teacher's features from the student's: FitNets' regressor (Romero et al. 2015, arXiv 1412.6550)
with the cosine in the place of the squared error.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import projector, unit


class Loss(nn.Module):
    """Mean over the batch of 1 − ⟨â_s, â_t⟩, with â_s = g(f_s) / |g(f_s)| and â_t = f_t / |f_t|. From 0 to 2.

    It is alignment alone, without uniformity. Left open by the method, and chosen here: only the student has a
    projector g (Linear-ReLU-Linear to the teacher's width); with one for the teacher too, two constants would be the
    optimum.
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
        return 1 - (unit(student) * unit(signals.teacher_features)).sum(dim=1).mean()
