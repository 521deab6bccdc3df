"""Softened teacher probabilities as targets (Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.losses._contract import Setup, Signals


class Loss(nn.Module):
    """T² · mean over the batch of KL(softmax(z_t / T) ‖ softmax(z_s / T)).

    T² keeps the gradient's size when T changes. The mean is over images and never over classes.
    """

    needs_teacher = True
    relates_images = False

    def __init__(self, setup: Setup, temperature: float = 4.0) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits of student and teacher, [B, C] each, to one number; zero when they are equal."""
        assert signals.teacher_logits is not None
        student = functional.log_softmax(signals.logits.float() / self.temperature, dim=1)
        teacher = functional.log_softmax(signals.teacher_logits.float() / self.temperature, dim=1)
        return functional.kl_div(student, teacher, reduction="batchmean", log_target=True) * self.temperature**2
