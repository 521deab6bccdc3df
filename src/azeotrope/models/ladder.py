"""Students by size: the members of a family, or a short list over all sizes, each with its cost.

Only names and counts; nothing is loaded, and models are built without storage, so that a list takes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import timm
import torch

from azeotrope.errors import InputError
from azeotrope.lookup import nearest
from azeotrope.models.cost import macs, parameters
from azeotrope.models.sources import source_of

LISTED_AT_ONCE = 60  # a tenth of a second each

# From 0.4 to 28 million parameters, a CNN and a transformer or hybrid of each size where timm has one.
STUDENTS = (
    "test_resnet",
    "test_vit2",
    "lcnet_050",
    "mobilenetv3_small_050",
    "mobilevit_xxs",
    "mobilenetv4_conv_small",
    "mobilenetv2_100",
    "convnext_atto",
    "efficientformerv2_s0",
    "tf_efficientnet_lite0",
    "resnet10t",
    "efficientnet_b0",
    "vit_tiny_patch16_224",
    "resnet18",
    "convnext_nano",
    "resnet34",
    "vit_small_patch16_224",
    "resnet50",
    "convnext_tiny",
)

# Pretrained models that are good at many tasks, small to large; any model of any source can teach.
TEACHERS = (
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite1",
    "tf_efficientnet_lite2",
    "resnet50",
    "convnext_tiny",
    "vit_small_patch14_dinov2",
    "vit_base_patch14_dinov2",
    "vit_base_patch16_siglip_224",
    "eva02_base_patch14_448",
    "vit_large_patch14_dinov2",
)


@dataclass(frozen=True)
class Rung:
    """One student: parameters without a head, and multiply-accumulates for one image at `image_size` pixels."""

    name: str
    parameters: int
    macs: int
    image_size: int
    stride: int


def ladder(family: str | None = None) -> list[Rung]:
    """Students whose timm name starts with `family`, or the short list, smallest first.

    Raises InputError for a family that is not known (with the nearest) and for one too large to list.
    """
    names = STUDENTS if family is None else _members(family)
    return sorted((rung(name) for name in names), key=lambda one: (one.parameters, one.name))


def rung(name: str) -> Rung:
    """The cost of one timm model at its own image size, without building it in memory."""
    with torch.device("meta"):
        backbone = source_of("timm").build(name, image_size=None)
        size = backbone.preprocessing.size
        return Rung(f"timm:{name}", parameters(backbone.module), macs(backbone.module, size), size, backbone.stride)


def _members(family: str) -> list[str]:
    known = timm.list_models()
    names = [name for name in known if name.startswith(family)]
    if not names:
        near = nearest(family, sorted({name.split("_")[0] for name in known}))
        raise InputError(
            f"There is no family of students named {family!r}",
            allowed=f"nearest: {', '.join(near)}" if near else "the start of any timm name, such as mobilenetv4",
        )
    if len(names) > LISTED_AT_ONCE:
        raise InputError(
            f"The family {family!r} is too large to list",
            found=f"{len(names)} models",
            allowed=f"{LISTED_AT_ONCE} or fewer",
            next_step=f"give more of the name, such as {names[0]!r}",
        )
    return names
