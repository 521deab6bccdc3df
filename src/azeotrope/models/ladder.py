"""Students by size: the members of a family, or a short list over all sizes, each with its cost.

No weights are loaded. Counts come from models without storage, built once and run once, so that a list takes seconds;
latency, which must be measured, is left to the members of one family.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import timm
import torch
from timm.models import PretrainedCfg

from azeotrope.errors import InputError
from azeotrope.lookup import nearest
from azeotrope.models.cost import latency_ms, macs, parameters
from azeotrope.models.probe import probe
from azeotrope.models.sources.timm import declared_stride

LISTED_AT_ONCE = 60  # a tenth of a second each
LARGEST_TIMED = 40_000_000  # parameters: students; what is larger takes too long to time, and will not be deployed
TIMED_RUNS = 5

# From 0.1 to 40 million parameters, a CNN and a transformer or hybrid of each size where timm has one.
STUDENTS = (
    "test_efficientnet",
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
    "vit_medium_patch16_gap_240",
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
    """One student: parameters without a head, multiply-accumulates for one image at `image_size` pixels, and the
    milliseconds that it takes on one thread of this machine (None: not measured).
    """

    name: str
    parameters: int
    macs: int
    image_size: int
    stride: int
    latency_ms: float | None = None


def ladder(family: str | None = None) -> list[Rung]:
    """Students whose timm name starts with `family`, timed, or the short list, not timed; smallest first.

    Raises InputError for a family that is not known (with the nearest) and for one too large to list.
    """
    rungs = [rung(name) for name in STUDENTS] if family is None else [timed(rung(name)) for name in _members(family)]
    return sorted(rungs, key=lambda one: (one.parameters, one.name))


def rung(name: str) -> Rung:
    """The cost of one timm model at its own image size, without building it in memory."""
    size = (timm.get_pretrained_cfg(name) or PretrainedCfg()).input_size[-1]
    with torch.device("meta"):
        network = timm.create_model(name, num_classes=0)
    stride = declared_stride(network) or probe(network, size=size, channels=3, name=f"timm:{name}").stride
    return Rung(f"timm:{name}", parameters(network), macs(network, size), size, stride)


def timed(one: Rung) -> Rung:
    """The same with its latency, measured on random weights; models too large to be students are left as they are."""
    if one.parameters > LARGEST_TIMED:
        return one
    network = timm.create_model(one.name.removeprefix("timm:"), num_classes=0)
    return replace(one, latency_ms=latency_ms(network, one.image_size, repeats=TIMED_RUNS))


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
