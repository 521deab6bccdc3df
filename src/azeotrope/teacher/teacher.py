"""A pretrained backbone that only looks: frozen, pinned to eval mode, at its own resolution and normalisation.

The head that makes it a classifier of the task is fitted per run (`head`), because it may see that run's images only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from azeotrope.data.views import draw, render
from azeotrope.models import cost
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.device import Device
from azeotrope.models.load import load_backbone
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy


class Frozen(nn.Module):
    """Holds a module in eval mode without gradients; `train()` does not undo it: BatchNorm statistics cannot move."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Frozen:
        """Stays in eval mode whatever is asked."""
        return super().train(False)

    @torch.inference_mode()
    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B F"]:
        """Pooled embeddings."""
        features: Tensor = self.module(images)
        return features


@dataclass(frozen=True)
class Teacher:
    """A loaded teacher. `weights_hash` identifies the pretrained weights; of them, the licence and how many outputs the
    classifier had that was left out are kept to be shown (None: not known).
    """

    name: str
    weights_hash: str
    module: Frozen
    features: int
    image_size: int
    preprocessing: Preprocessing
    device: Device
    licence: str | None = None
    left_out_classes: int | None = None

    @property
    def members(self) -> tuple[Teacher]:
        """Itself alone, as an ensemble lists its members."""
        return (self,)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one image; None for a program that torch does not run and so cannot count (ONNX)."""
        return cost.macs(self.module, self.image_size) or None

    def embed(
        self, images: UInt8[Tensor, "B S S K"], policy: ViewPolicy, identities: NDArray[np.uint64], view: int
    ) -> Float[Tensor, "B F"]:
        """Embeddings of one view of each packed image, float32 on the teacher's device."""
        look = self.preprocessing
        parameters = draw(policy, identities, view)
        pixels = render(
            images.to(self.device.name), parameters, self.image_size, look.interpolation, look.mean, look.std
        )
        with self.device.autocast():
            features: Tensor = self.module(pixels)
        return features.float().clone()  # what inference mode made could not enter a loss


def load_teacher(spec: TeacherSpec, device: Device) -> Teacher:
    """Load the pretrained backbone. Raises InputError when the model or its weights cannot be had."""
    backbone = load_backbone(spec.model, pretrained=True, image_size=spec.image_size)
    assert backbone.weights is not None, "pretrained=True either finds weights or raises"
    module = device.place(Frozen(backbone.module))
    size = spec.image_size or backbone.preprocessing.size
    return Teacher(
        spec.model,
        backbone.weights.sha256,
        module,
        backbone.features,
        size,
        backbone.preprocessing,
        device,
        backbone.weights.licence,
        backbone.weights.classes,
    )
