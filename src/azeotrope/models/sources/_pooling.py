"""Where each family of transformers keeps the embedding of an image. Not a source: `hf` is.

Tested against each family's own definition; a family that is not named here and declares no pooled output is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


def _class_token(output: Any) -> Tensor:
    token: Tensor = output.last_hidden_state[:, 0]
    return token


def _mean_of_patches(output: Any) -> Tensor:
    mean: Tensor = output.last_hidden_state.mean(dim=1)
    return mean


def _declared(output: Any) -> Tensor:
    """What the family calls its pooled output; where it has none, its tokens, which the probe then refuses."""
    pooled: Tensor | None = getattr(output, "pooler_output", None)
    tokens: Tensor = output.last_hidden_state
    return tokens if pooled is None else pooled.flatten(1)


# Families whose own classifiers read something other than their `pooler_output` (which ViT and DeiT compute by a layer
# that most checkpoints lack), or that declare none. All others: DINOv2 and DINOv3 give the class token, registers left
# out, SigLIP its attention pool, CLIP the class token before the projection, ConvNeXt, ResNet and Swin the mean.
POOLING: dict[str, Callable[[Any], Tensor]] = {
    "vit": _class_token,
    "deit": _class_token,
    "vit_msn": _class_token,
    "vit_mae": _class_token,
    "ijepa": _mean_of_patches,
}
WITHOUT_POOLER = {"vit", "deit"}
UNMASKED = {"vit_mae": {"mask_ratio": 0.0}}  # else three in four patches would be hidden, at random, in use too


class Pooled(nn.Module):
    """A model of transformers from images [B, C, H, W] to its family's pooled embedding [B, F]."""

    def __init__(self, model: nn.Module, family: str) -> None:
        super().__init__()
        self.model, self._pool = model, POOLING.get(family, _declared)
        resizes = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        self._arguments = {"interpolate_pos_encoding": True} if resizes else {}

    def forward(self, images: Tensor) -> Tensor:
        """Position embeddings are resized where the images are not of the model's own size."""
        return self._pool(self.model(pixel_values=images, **self._arguments))
