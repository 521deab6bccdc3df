"""KL split into "the true class or not" and "which of the others" (Zhao et al. 2022, arXiv 2203.08679).

In `kl` the second part is weighted by 1 − p_t(true class), so that a sure teacher says little about the other classes.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.kinds.single import UNLABELLED
from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._parameters import NotNegative, Positive, Share


def decouple(
    logits: Float[Tensor, "B C"], labels: Int[Tensor, " B"]
) -> tuple[Float[Tensor, "B 2"], Float[Tensor, "B others"]]:
    """Log-probabilities of the true class and of all others together, and of each of the C − 1 others among them."""
    log_p = functional.log_softmax(logits, dim=1)
    others = torch.arange(logits.shape[1] - 1, device=logits.device)
    rest = log_p.gather(1, others + (others >= labels[:, None]))
    together = rest.logsumexp(dim=1, keepdim=True)
    return torch.cat([log_p.gather(1, labels[:, None]), together], dim=1), rest - together


def divergence(teacher: Float[Tensor, "B K"], student: Float[Tensor, "B K"]) -> Float[Tensor, ""]:
    """Mean over the batch of KL(teacher ‖ student), from log-probabilities."""
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True)


class Loss(nn.Module):
    """T² · (α · TCKD + β · NCKD), means over the batch of two KL divergences at temperature T.

    TCKD compares (p, 1 − p), p the true class's probability; NCKD compares the softmax of the other classes. An image
    without a label is taken to be of the class that the teacher sees.
    With two classes NCKD is zero. The whole is multiplied by min(1, progress / warm-up share): the paper's weight
    rises over 20 of 240 epochs, here over the same share of the training.
    """

    needs_teacher = True
    relates_images = False
    kinds = ("single",)  # "the true class" is one

    def __init__(
        self,
        setup: Setup,
        *,
        alpha: NotNegative = 1.0,
        beta: NotNegative = 8.0,
        T: Positive = 4.0,
        warmup_share: Share = 20 / 240,
    ) -> None:
        super().__init__()
        self.alpha, self.beta, self.T, self.warmup_share = alpha, beta, T, warmup_share

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits of student and teacher, [B, C] each, and labels [B] to one number; zero when the logits are equal."""
        assert signals.teacher_logits is not None
        labels = torch.where(signals.labels == UNLABELLED, signals.teacher_logits.argmax(1), signals.labels)
        student_true, student_others = decouple(signals.logits.float() / self.T, labels)
        teacher_true, teacher_others = decouple(signals.teacher_logits.float() / self.T, labels)
        target = self.alpha * divergence(teacher_true, student_true)
        warm = min(1.0, signals.progress / self.warmup_share) * self.T**2
        return warm * (target + self.beta * divergence(teacher_others, student_others))
