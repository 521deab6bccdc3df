"""The teacher's probabilities as labels: what a picture without a label may be given in the place of one.

Unlike `kl` it does not soften them, so that a sure teacher's word is nearly a label (pseudo-labels: Lee 2013).
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.losses._contract import Setup, Signals


class Loss(nn.Module):
    """Mean over the batch of −Σ_c p_t(c) log p_s(c), with the probabilities of teacher and student at temperature 1.

    Smallest, though not zero, when the student's are the teacher's.
    """

    needs_teacher = True
    relates_images = False
    kinds = ("single",)  # it stands in for the label of a picture without one, which other kinds do not take

    def __init__(self, setup: Setup) -> None:
        super().__init__()

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits of student and teacher, [B, C] each, to one number."""
        assert signals.teacher_logits is not None
        return functional.cross_entropy(signals.logits.float(), signals.teacher_logits.float().softmax(dim=1))
