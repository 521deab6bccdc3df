"""The module that every exported file is made of: pixels in, logits and probabilities out.

Normalisation and the temperature of calibrated probabilities are inside, so that nobody has to repeat them on a device.
Decoding and resizing stay outside (`preparation`).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from azeotrope.labels import KindName
from azeotrope.models.saved import SavedModel

INPUT = "pixel_values"
OUTPUTS: Mapping[KindName, tuple[str, ...]] = {
    "single": ("logits", "probabilities"),
    "multi": ("logits", "probabilities"),
    "number": ("value",),
}


class Deployed(nn.Module):
    """A trained network as a device runs it.

    `pixel_values` are RGB pixels of 0 to 255, or the bands that it was trained on, of any type; of pictures read with
    16 bits they go to 65,535. Logits are the network's divided by `temperature`, which is folded into the head, so that
    their softmax (sigmoid, for several labels an image) is the probability. A number has one output, the value.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, saved: SavedModel, temperature: float = 1.0) -> None:
        super().__init__()
        mean, std = (torch.tensor(values)[:, None, None] for values in _statistics(saved))
        self.backbone, self.head, self.kind = saved.network.backbone, copy.deepcopy(saved.network.head), saved.kind
        self.register_buffer("scale", 1 / ((2**saved.preprocessing.pixels.bits - 1) * std))
        self.register_buffer("shift", mean / std)
        self.eval().requires_grad_(False)
        self.head.weight.div_(temperature)
        self.head.bias.div_(temperature)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what `forward` returns."""
        return OUTPUTS[self.kind]

    def forward(self, pixel_values: Shaped[Tensor, "B bands H W"]) -> tuple[Float[Tensor, "B C"], ...]:
        """Pixels to `outputs`. A plain tuple: `torch.export.save` cannot store a named one."""
        logits = self.head(self.backbone(self.normalised(pixel_values)))
        if self.kind == "number":
            return (logits,)
        return logits, logits.softmax(-1) if self.kind == "single" else logits.sigmoid()

    def normalised(self, pixel_values: Shaped[Tensor, "B bands H W"]) -> Float[Tensor, "B bands H W"]:
        """(pixel / 255 - mean) / std, or with 65,535, as one multiplication and one subtraction."""
        return pixel_values.to(torch.float32) * self.scale - self.shift


def _statistics(saved: SavedModel) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return saved.preprocessing.mean, saved.preprocessing.std
