"""What the teacher says with its scale taken out: KL of standardised logits (Sun et al. 2024, arXiv 2403.01427).

A small student need not reach the size of its teacher's logits, only their relations. A cross-fitted head's strength no
longer matters, nor does its temperature.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._embedding import standardised
from azeotrope.losses._parameters import Positive


class Loss(nn.Module):
    """T² · mean over the batch of KL(softmax(n(z_t) / T) ‖ softmax(n(z_s) / T)), n(z) = (z − mean of z) / sd of z.

    Mean and standard deviation are over the C classes of an image. Left open by the method, and chosen here: sd divides
    by C (the authors' code by C − 1, which is a slightly higher T); 10⁻⁵ is added to the variance, so that equal logits
    have a gradient. T = 2 is the authors'; their weight is 9. With two classes n(z) is (1, −1) or the reverse, and
    nothing is left to learn: `kl` is the loss for them.
    """

    needs_teacher = True
    relates_images = False
    relates_classes = True
    kinds = ("single",)  # logits of classes of which an image has exactly one

    def __init__(self, setup: Setup, *, T: Positive = 2.0) -> None:
        super().__init__()
        self.kind, self.T = setup.kind, T

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits of student and teacher, [B, C] each, to one number; zero when one is a multiple of the other."""
        assert signals.teacher_logits is not None
        return self.kind.divergence(standardised(signals.logits), standardised(signals.teacher_logits), self.T)
