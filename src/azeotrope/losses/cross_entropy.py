"""Cross-entropy with the labels: the term every arm has."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from azeotrope.losses._contract import UNLABELLED, Setup, Signals


class Loss(nn.Module):
    """Mean over the labelled images of −Σ_c q_c log softmax(z)_c, with q the one-hot label smoothed towards uniform.

    Label smoothing: Szegedy et al. 2016, arXiv 1512.00567, section 7.
    """

    needs_teacher = False
    relates_images = False

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self.label_smoothing = setup.label_smoothing

    def forward(self, signals: Signals) -> Float[Tensor, ""]:
        """Logits [B, C] and labels [B] to one number."""
        return functional.cross_entropy(
            signals.logits.float(), signals.labels, ignore_index=UNLABELLED, label_smoothing=self.label_smoothing
        )
