"""The device half of a batch: what the host sent becomes what a step reads. It renders the views, asks a teacher that
looks at every step, and applies the head; it reads nothing and waits for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from azeotrope.data.augmentation.render import Renderer
from azeotrope.data.host_batch import DeviceInputs
from azeotrope.devices.device import Device
from azeotrope.teacher.embedder import side_by_side
from azeotrope.train.dataset import StudentData, Targets


@dataclass(frozen=True)
class Batch:
    """B images as the student sees them, their labels as `Kind.targets` and, where a loss asks, the teacher's
    embeddings of the same views and the folds of its head that speak of them. `places` are those of the images among
    the training images; None in evaluation. The last `further` of the B are pictures beside the labelled images.
    """

    images: Float[Tensor, "B bands H W"]
    labels: Shaped[Tensor, B * label]
    teacher_features: Float[Tensor, "B G"] | None = None
    teacher_logits: Float[Tensor, "B C"] | None = None
    folds: Int[Tensor, " B"] | None = None
    places: Int[Tensor, " B"] | None = None
    further: int = 0


class Prepare(nn.Module):
    """Makes the batches of one run on one device."""

    def __init__(self, data: StudentData, device: Device) -> None:
        super().__init__()
        look = data.preprocessing
        self.renderer = Renderer(data.image_size, look.interpolation, look.mean, look.std).to(device.name)
        self.teacher = Teaching(data.targets, device) if data.targets else None
        beside = data.extra.images.targets if data.extra else None
        self.beside = Teaching(beside, device) if beside else None

    def forward(self, inputs: DeviceInputs) -> Batch:
        """The batch; of further pictures too, which come last."""
        batch = self._of(inputs, self.teacher)
        return batch if inputs.further is None else together(batch, self._of(inputs.further, self.beside))

    def _of(self, inputs: DeviceInputs, teacher: Teaching | None) -> Batch:
        images, labels = self.renderer(inputs.pixels, inputs.views), inputs.labels
        assert labels is not None
        if teacher is None or inputs.folds is None:
            return Batch(images, labels, places=inputs.places)
        features, logits = teacher(inputs)
        return Batch(images, labels, features, logits, inputs.folds, inputs.places)


class Teaching(nn.Module):
    """A teacher's word on the views of a batch, from what is stored or by asking it."""

    def __init__(self, targets: Targets, device: Device) -> None:
        super().__init__()
        self.head, self.scales = targets.head.to(device.name), targets.cache.scales
        self.embedders = nn.ModuleList(targets.cache.embedders if targets.live else ())

    def forward(self, inputs: DeviceInputs) -> tuple[Float[Tensor, "B G"], Float[Tensor, "B C"]]:
        """Embeddings and logits."""
        asked = [look(each) for look, each in zip(self.embedders, inputs.asked, strict=True)]
        features = side_by_side([*asked, *(array.float() for array in inputs.stored)], self.scales)
        return features, self.head.logits(features, inputs.folds)


def together(first: Batch, second: Batch) -> Batch:
    """Both batches as one; what one of them lacks (the teacher's word), the whole lacks."""

    def both(a: Tensor | None, b: Tensor | None) -> Tensor | None:
        return None if a is None or b is None else torch.cat([a, b])

    return Batch(
        torch.cat([first.images, second.images]),
        torch.cat([first.labels, second.labels]),
        both(first.teacher_features, second.teacher_features),
        both(first.teacher_logits, second.teacher_logits),
        both(first.folds, second.folds),
        both(first.places, second.places),
        further=len(second.images),
    )
