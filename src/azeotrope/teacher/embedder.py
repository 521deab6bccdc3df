"""The device half of a teacher: from the pictures and views that were sent there to embeddings. It reads nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from azeotrope.data.augmentation.render import Renderer
from azeotrope.data.augmentation.views import Views
from azeotrope.data.host_batch import DeviceInputs, Inputs
from azeotrope.devices.device import Device


class Frozen(nn.Module):
    """Holds a module in eval mode without gradients; `train()` does not undo it: BatchNorm statistics cannot move."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Frozen:
        """Stays in eval mode whatever is asked."""
        return super().train(False)

    @torch.inference_mode()
    def forward(self, images: Float[Tensor, "B bands H W"]) -> Float[Tensor, "B F"]:
        """Pooled embeddings."""
        features: Tensor = self.module(images)
        return features


class Embedder(nn.Module):
    """One teacher that looks at views."""

    def __init__(self, module: Frozen, renderer: Renderer, device: Device) -> None:
        super().__init__()
        self.module, self.renderer, self.device = module, renderer, device

    def render(self, inputs: DeviceInputs) -> Float[Tensor, "B bands H W"]:
        """The views as this teacher wants them."""
        pixels: Tensor = self.renderer(inputs.pixels, inputs.views)
        return pixels

    def look(self, pixels: Float[Tensor, "B bands H W"]) -> Float[Tensor, "B F"]:
        """Pooled embeddings of rendered views as float32, computed in the device's precision; without a gradient."""
        with self.device.autocast():
            features: Tensor = self.module(pixels)
        return features.float().clone()  # what inference mode made could not enter a loss

    def forward(self, inputs: DeviceInputs) -> Float[Tensor, "B F"]:
        """Embeddings of views."""
        return self.look(self.render(inputs))


class Versions(nn.Module):
    """Several versions of one teacher, each asked about the images that `Inputs.versions` gives it."""

    def __init__(self, members: Sequence[Embedder]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, inputs: DeviceInputs) -> Float[Tensor, "B F"]:
        """Embeddings of views, in the order of the batch."""
        assert inputs.order is not None
        counts = [count for _, count in inputs.versions]
        pixels, views = torch.split(inputs.pixels, counts), torch.split(inputs.views.values, counts)
        said = [
            self.members[version](Inputs(picture, Views(view, inputs.views.cutout)))
            for (version, _), picture, view in zip(inputs.versions, pixels, views, strict=True)
        ]
        return torch.cat(said)[inputs.order]


def side_by_side(parts: Sequence[Float[Tensor, "B _"]], scales: Sequence[float]) -> Float[Tensor, "B F"]:
    """Embeddings of several teachers as one's, each multiplied by its scale; of one, as they are."""
    if len(parts) == 1:
        return parts[0]
    return torch.cat([scale * part for scale, part in zip(scales, parts, strict=True)], dim=1)
