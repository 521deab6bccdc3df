"""Models of the timm library: `timm:resnet18`, `timm:vit_small_patch14_dinov2.lvd142m`.

Architecture, resolution and normalisation come from timm's own configuration; a tag after the dot chooses among
pretrained weights. Weights come from an installed package where one holds them, else from the hub.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg
from torch import Tensor, nn

from azeotrope.errors import InputError
from azeotrope.lookup import unknown
from azeotrope.models.backbone import Backbone, Preprocessing
from azeotrope.models.pretrained import hub, packages
from azeotrope.models.pretrained.weights import Weights, fingerprint
from azeotrope.models.probe import pooled_width, probe
from azeotrope.models.sources._published import Published, imagenet_1k
from azeotrope.models.spec import WeightsRef

_BACK = "ResNet strikes back, arXiv 2110.00476, table 2"
_RECIPES: Mapping[str, tuple[float, int, str]] = {
    "a1_in1k": (600, 224, _BACK),
    "a2_in1k": (300, 224, _BACK),
    "a3_in1k": (100, 160, _BACK),
    "tv_in1k": (90, 224, "torchvision references/classification"),
}
_STATED = re.compile(r"(?:[a-z]+\d?_)?e(?P<epochs>\d+)_r(?P<size>\d+)_in1k")


def build(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The model with random weights and no classifier; raises InputError for unknown names and impossible sizes."""
    return _build(name, image_size, in_channels, pretrained=False)


def build_from_hub(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The model with timm's weights for it, from the hub or its cache; raises InputError when they cannot be had."""
    if problem := hub_problem(name):
        raise hub.unavailable(f"timm:{name}", problem)
    backbone = _build(name, image_size, in_channels, pretrained=True)
    config = _config(name)
    where = f"hub:{config.hf_hub_id or config.url}"
    return replace(backbone, weights=Weights(where, fingerprint(backbone.module.state_dict()), config.license))


def default_weights(name: str) -> WeightsRef | None:
    """An installed package that holds them, else the hub; None when timm has none."""
    config = _config(name)
    if package := packages.installed_for(name):
        return WeightsRef("package", package.name)
    return WeightsRef("hub") if config.has_weights else None


def hub_problem(name: str) -> str | None:
    """Why the hub's weights cannot be had; None when cached or reachable."""
    config = _config(name)
    if config.hf_hub_id:
        return hub.repository_problem(config.hf_hub_id, config.hf_hub_filename)
    return hub.url_problem(config.url) if config.url else f"timm has no pretrained weights for {name}"


def published(name: str) -> Published | None:
    """What the tag of the weights says of their making; None for a tag that says nothing.

    `a1`, `a2`, `a3` are the recipes of Wightman et al. 2021; torchvision's own are `tv`; tags such as `e2400_r224`
    state epochs and pixels themselves. Weights of a second stage (`_ft_`) had a first one that no tag describes.
    """
    tag = _config(name).tag or ""
    if (found := _RECIPES.get(tag)) is not None:
        return imagenet_1k(*found)
    stated = _STATED.fullmatch(tag)
    reference = f"timm's tag of these weights, {tag}"
    return imagenet_1k(int(stated["epochs"]), int(stated["size"]), reference) if stated else None


def names() -> list[str]:
    """The architectures that timm has, about 1,300."""
    return list(timm.list_models())


def _build(name: str, image_size: int | None, in_channels: int, *, pretrained: bool) -> Backbone:
    config, size = _config(name), image_size or _config(name).input_size[-1]
    try:
        features, stride, arguments = _measure(name, size, in_channels, fixed_size=config.fixed_input_size)
    except InputError:
        raise
    except Exception as error:  # timm raises whatever its models raise; each means that this one cannot be had so
        raise _refused(name, size, error) from error
    return Backbone(
        module=_fetched(name, arguments) if pretrained else timm.create_model(name, **arguments),
        features=features,
        preprocessing=Preprocessing(size, tuple(config.mean), tuple(config.std), config.interpolation),
        stride=stride,
        name=f"timm:{name}",
        head_names=_head_names(config),
        adapt=_adapt,
    )


def _fetched(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Built with weights by timm itself, which also fits them to the size and channels asked for."""
    try:
        return timm.create_model(name, pretrained=True, **arguments)
    except Exception as error:  # network, cache and file each fail in their own ways, and none is ours to mend
        raise hub.unavailable(f"timm:{name}", hub.reason(error)) from error


@cache  # a look takes as long as a hundred steps of a small student, and each run of a sweep builds its own
def _measure(name: str, size: int, in_channels: int, *, fixed_size: bool) -> tuple[int, int, Mapping[str, Any]]:
    """Width of the pooled features and stride, from a copy without storage; and the arguments to build the real one.

    Models of `fixed_size` are made for one size, and take it as an argument.
    Sizes below the stride are raised to it here, so that the model can be built and the size refused by its name.
    """
    arguments: dict[str, Any] = {"num_classes": 0, "in_chans": in_channels}
    if name.startswith("vit") and "_dinov3" in name:  # timm averages the patches, its authors take the class token
        arguments["global_pool"] = "token"
    with torch.device("meta"):
        shadow = timm.create_model(name, **arguments)
        declared = declared_stride(shadow)
        side = max(size, declared)
        if fixed_size:
            arguments["img_size"] = side
            shadow = timm.create_model(name, **arguments)
        found = probe(shadow, size=side, channels=in_channels, name=f"timm:{name}")
    return pooled_width(found, f"timm:{name}"), declared or found.stride, MappingProxyType(arguments)


def declared_stride(module: nn.Module) -> int:
    """The coarsest reduction as timm declares it; 0 where it declares none."""
    info = getattr(module, "feature_info", None)
    return int(info[-1]["reduction"]) if isinstance(info, list) and info else 0


def _config(name: str) -> PretrainedCfg:
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise unknown("timm model", name, names())
    tagged = [known for known in timm.list_pretrained(f"{architecture}.*") if known.startswith(f"{architecture}.")]
    if tag and name not in tagged:
        raise unknown(f"set of weights of timm:{architecture}", name, tagged)
    return timm.get_pretrained_cfg(name) or PretrainedCfg()


def _head_names(config: PretrainedCfg) -> tuple[str, ...]:
    heads = config.classifier or ()
    return (heads,) if isinstance(heads, str) else tuple(heads)


def _adapt(module: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """What timm itself does to a file of this family, where it has a conversion under the usual name.

    It renames tensors of the original authors' files and resizes position embeddings. What still does not fit
    afterwards is refused by the loader.
    """
    convert = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)
    if convert is None:
        return tensors
    try:
        converted: Mapping[str, Tensor] = convert(dict(tensors), module)
    except (KeyError, AttributeError, RuntimeError, ValueError, IndexError):
        return tensors  # another architecture's file: the loader lists how it differs
    return converted


def _refused(name: str, size: int, error: Exception) -> InputError:
    return InputError(
        f"timm must be able to make {name} for images of {size} px",
        found=hub.reason(error),
        next_step="use the model's own image size, or a model that takes any size",
    )
