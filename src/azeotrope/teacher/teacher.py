"""A pretrained backbone that only looks: frozen, pinned to eval mode, at its own resolution and normalisation.

The head that makes it a classifier of the task is fitted per run (`head`), because it may see that run's images only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from azeotrope.data.augmentation.render import Renderer
from azeotrope.devices.device import Device
from azeotrope.models import cost
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.load import load_backbone
from azeotrope.plan import TeacherSpec
from azeotrope.teacher.embedder import Embedder, Frozen


@dataclass(frozen=True)
class Teacher:
    """A loaded teacher. `weights_hash` identifies the pretrained weights; of them, the licence and how many outputs the
    classifier had that was left out are kept to be shown (None: not known). `bands` are those that it looks at.
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
    bands: tuple[int, ...] | None = None

    @property
    def members(self) -> tuple[Teacher]:
        """Itself alone, as an ensemble lists its members."""
        return (self,)

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one image; None for a program that torch does not run and so cannot count (ONNX)."""
        return cost.macs(self.module, self.image_size) or None

    @cached_property
    def embedder(self) -> Embedder:
        """What it is on its device."""
        look = self.preprocessing
        renderer = Renderer(self.image_size, look.interpolation, look.mean, look.std)
        return Embedder(self.module, renderer.to(self.device.name), self.device)


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
        spec.bands,
    )
