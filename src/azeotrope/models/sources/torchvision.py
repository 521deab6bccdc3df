"""Models of torchvision: `torchvision:mobilenet_v2`. Weights come from its own hub, or from a file.

Only classifiers are listed. GoogLeNet and Inception v3 are left out: in training they answer three outputs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import VisionTransformer, WeightsEnum
from torchvision.models.vision_transformer import interpolate_embeddings

from azeotrope.errors import InputError
from azeotrope.lookup import unknown
from azeotrope.models.backbone import Backbone, Preprocessing, unchanged
from azeotrope.models.classifier import find_classifier, remove
from azeotrope.models.pretrained import hub
from azeotrope.models.pretrained.weights import Weights, fingerprint, load_into
from azeotrope.models.sources._published import Published, imagenet_1k
from azeotrope.models.spec import WeightsRef

_README = "https://github.com/pytorch/vision/tree/main/references/classification"
_NEW_RECIPE = "https://github.com/pytorch/vision/issues/3995"
_RECIPES: Mapping[str, tuple[float, int]] = {  # epochs and pixels of the recipes that torchvision's weights name
    f"{_README}#resnet": (90, 224),
    f"{_README}#mobilenetv2": (300, 224),
    f"{_README}#alexnet-and-vgg": (90, 224),
    f"{_NEW_RECIPE}#new-recipe": (600, 176),
    f"{_NEW_RECIPE}#new-recipe-with-reg-tuning": (600, 176),
}
SEVERAL_OUTPUTS = ("googlenet", "inception_v3")


def build(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The model with random weights and no classifier; raises InputError for unknown names and impossible sizes."""
    if in_channels != 3:
        raise InputError(
            "The models of torchvision take images of three channels",
            found=f"{in_channels} channels",
            next_step=f"use timm:{name}, which takes any number",
        )
    preprocessing = _preprocessing(name, image_size)
    shadow, arguments = _shadow(name, preprocessing.size)
    side = arguments.get("image_size", preprocessing.size)
    classifier = find_classifier(shadow, size=side, channels=3, name=f"torchvision:{name}")
    return Backbone(
        module=remove(torchvision.models.get_model(name, weights=None, **arguments), classifier),
        features=classifier.features,
        preprocessing=preprocessing,
        stride=shadow.patch_size if isinstance(shadow, VisionTransformer) else classifier.stride,
        name=f"torchvision:{name}",
        head_names=(classifier.path,),
        adapt=_resize_positions if arguments else unchanged,
    )


def build_from_hub(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The model with torchvision's default weights; raises InputError when they cannot be had."""
    if problem := hub_problem(name):
        raise hub.unavailable(f"torchvision:{name}", problem)
    backbone, url = build(name, image_size=image_size, in_channels=in_channels), _default(name).url
    try:
        tensors = torch.hub.load_state_dict_from_url(url, progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:  # no network, no space, a file that is not what its name says
        raise hub.unavailable(f"torchvision:{name}", str(error)) from error
    fitted = backbone.adapt(backbone.module, tensors)
    load_into(backbone.module, fitted, head_names=backbone.head_names, source=url)
    return replace(backbone, weights=Weights(f"hub:{url}", fingerprint(backbone.module.state_dict())))


def default_weights(name: str) -> WeightsRef | None:
    """The hub: torchvision has weights for all its classifiers."""
    _known(name)
    return WeightsRef("hub")


def hub_problem(name: str) -> str | None:
    """Why the hub's weights cannot be had; None when cached or reachable."""
    _known(name)
    return hub.url_problem(_default(name).url)


def published(name: str) -> Published | None:
    """What the recipe that torchvision's default weights name says; None for one that is not known here."""
    _known(name)
    recipe = _default(name).meta.get("recipe", "")
    return imagenet_1k(*_RECIPES[recipe], recipe) if recipe in _RECIPES else None


def names() -> list[str]:
    """The classifiers of torchvision, about 80."""
    listed = torchvision.models.list_models(module=torchvision.models)
    return [name for name in listed if name not in SEVERAL_OUTPUTS]


def _known(name: str) -> None:
    if name not in names():
        raise unknown("torchvision model", name, names())


def _default(name: str) -> WeightsEnum:
    return torchvision.models.get_model_weights(name).DEFAULT


def _preprocessing(name: str, image_size: int | None) -> Preprocessing:
    _known(name)
    transforms = _default(name).transforms()
    return Preprocessing(
        size=image_size or transforms.crop_size[0],
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        interpolation=transforms.interpolation.value,
    )


def _shadow(name: str, size: int) -> tuple[nn.Module, dict[str, int]]:
    """A copy without storage to probe, and the arguments to build the real one with.

    Vision transformers are made for one size. One smaller than their patch is raised to it here and refused later.
    """
    arguments: dict[str, int] = {}
    with torch.device("meta"):
        shadow = torchvision.models.get_model(name, weights=None)
        if isinstance(shadow, VisionTransformer):
            arguments = {"image_size": max(size, shadow.patch_size)}
            if arguments["image_size"] % shadow.patch_size:
                raise InputError(
                    f"Images for torchvision:{name} are cut into whole patches",
                    found=f"{size} px",
                    allowed=f"multiples of {shadow.patch_size} px",
                )
            shadow = torchvision.models.get_model(name, weights=None, **arguments)
    return shadow, arguments


def _resize_positions(module: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Position embeddings of a vision transformer, interpolated to the module's resolution."""
    if not isinstance(module, VisionTransformer) or "encoder.pos_embedding" not in tensors:
        return tensors
    resized: Mapping[str, Tensor] = interpolate_embeddings(module.image_size, module.patch_size, OrderedDict(tensors))
    return resized
