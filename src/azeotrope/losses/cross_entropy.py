"""Cross-entropy with the labels: the term every arm has. What it is for each kind of task, the kind says."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals


class Loss(nn.Module):
    """`Kind.loss`: of classes (softmax, with label smoothing), of each class alone (sigmoid), or of a normal
    distribution around a number, which is half the squared error.
    """

    needs_teacher = False
    relates_images = False

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self.kind, self.label_smoothing = setup.kind, setup.label_smoothing

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits [B, C] and labels [B], or [B, C], to one number."""
        return self.kind.loss(signals.logits.float(), signals.labels, self.label_smoothing)
