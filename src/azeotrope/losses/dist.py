"""Correlations with the teacher's probabilities in the place of equality (DIST: Huang et al. 2022, arXiv 2205.10536).

A strong teacher's probabilities are far from a small student's; what should agree is how an image's classes compare,
and how a class's images compare.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import require_images, unit
from azeotrope.losses._parameters import NotNegative, Positive


def uncorrelated(x: Float[Tensor, "n k"], y: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """Mean over rows of 1 − Pearson's correlation; a row without variance correlates with nothing."""
    centred = (unit(rows - rows.mean(dim=1, keepdim=True)) for rows in (x, y))
    return 1 - next(centred).mul(next(centred)).sum(dim=1).mean()


class Loss(nn.Module):
    """T² · [β · mean over images of 1 − ρ(p_s, p_t) over classes + γ · mean over classes of 1 − ρ over the batch],
    p = softmax(z / T), ρ Pearson's correlation. From 0 to 2 (β + γ) T².

    β = γ = T = 1 are those of the authors' code; their experiments also take β = γ = 2, and T = 4 for CIFAR. Left open
    by the method, and chosen here: rows are divided by their own length, down to 10⁻¹² (the authors add 10⁻⁸ to the
    product of the lengths, which silences classes that neither believes in). Batches of one image have no correlation
    and are refused.
    """

    needs_teacher = True
    relates_images = True
    relates_classes = True
    kinds = ("single",)  # probabilities of classes of which an image has exactly one

    def __init__(self, setup: Setup, *, beta: NotNegative = 1.0, gamma: NotNegative = 1.0, T: Positive = 1.0) -> None:
        super().__init__()
        self.beta, self.gamma, self.T = beta, gamma, T

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits of student and teacher, [B, C] each, to one number; zero when they are equal."""
        assert signals.teacher_logits is not None
        require_images(len(signals.logits), 2, "a correlation over images needs some")
        student = (signals.logits.float() / self.T).softmax(dim=1)
        teacher = (signals.teacher_logits.float() / self.T).softmax(dim=1)
        of_images, of_classes = uncorrelated(student, teacher), uncorrelated(student.T, teacher.T)
        return self.T**2 * (self.beta * of_images + self.gamma * of_classes)
