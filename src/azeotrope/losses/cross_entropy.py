"""Cross-entropy with the labels: the term every arm has. What it is for each kind of task, the kind says."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses._parameters import Smoothing


class Loss(nn.Module):
    """`Kind.loss`: of classes (softmax, with label smoothing), of each class alone (sigmoid), or of a normal
    distribution around a number, which is half the squared error. Label smoothing is the recipe's, unless it is given.
    Weights of classes and logit adjustment (`Setup.balance`) enter here and nowhere else.
    """

    needs_teacher = False
    relates_images = False
    weights: Tensor | None
    offsets: Tensor | None

    def __init__(self, setup: Setup, *, label_smoothing: Smoothing | None = None) -> None:
        super().__init__()
        self.kind = setup.kind
        self.label_smoothing = setup.label_smoothing if label_smoothing is None else label_smoothing
        self.register_buffer("weights", setup.balance.weights, persistent=False)
        self.register_buffer("offsets", setup.balance.offsets, persistent=False)

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits [B, C] and labels [B], or [B, C], to one number."""
        logits = signals.logits.float()
        shifted = logits if self.offsets is None else logits + self.offsets
        return self.kind.loss(shifted, signals.labels, self.label_smoothing, self.weights)
