"""What the teacher says, softened, as target (Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._parameters import Positive


class Loss(nn.Module):
    """T² · mean over the batch of KL(teacher ‖ student) at temperature T: `Kind.divergence`, here by kind of task.

    Of classes: KL(softmax(z_t / T) ‖ softmax(z_s / T)). Of several labels: Σ_c KL(σ(z_t / T) ‖ σ(z_s / T)), each class
    a yes or no of its own. Of a number: ½ (z_s − z_t)², standardised, whatever T.
    T² keeps the gradient's size when T changes. The mean is over images and never over classes.
    """

    needs_teacher = True
    relates_images = False

    def __init__(self, setup: Setup, *, T: Positive = 4.0) -> None:
        super().__init__()
        self.kind, self.T = setup.kind, T

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits of student and teacher, [B, C] each, to one number; zero when they are equal."""
        assert signals.teacher_logits is not None
        return self.kind.divergence(signals.logits.float(), signals.teacher_logits.float(), self.T)
