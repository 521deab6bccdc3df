"""The model that is trained: a backbone and one linear head.

Normalisation is not inside; images arrive as `Preprocessing` says, so that teacher and student may each have their own.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn


class Output(NamedTuple):
    """What a network answers: pooled features, which distillation aligns, and the logits made from them."""

    features: Float[Tensor, "B F"]
    logits: Float[Tensor, "B C"]


class Network(nn.Module):
    """Backbone, then `head`: the head is separate so that it can be trained alone or at its own rate."""

    def __init__(self, backbone: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Float[Tensor, "B channels H W"]) -> Output:
        """Normalised images [B, channels, H, W] to features [B, F] and logits [B, C]."""
        features = self.backbone(images)
        return Output(features, self.head(features))
