"""The user's own model: `file:model.py:build`, a function without arguments that returns a `torch.nn.Module`.

This runs the named file, on this machine and because the user asked for it; nothing is ever fetched. The module maps
images [B, 3, H, W] to logits and ends in a `torch.nn.Linear`, which is cut off. It may carry an attribute
`preprocessing` (azeotrope.models.backbone.Preprocessing); without one, ImageNet's normalisation is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from azeotrope.errors import InputError
from azeotrope.models.backbone import Backbone, Preprocessing
from azeotrope.models.classifier import REFERENCE_SIZE, find_classifier, remove
from azeotrope.models.spec import ModelSpec, WeightsRef
from azeotrope.own_code import FAILURES, broken, function_in, located


def build(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """Call the function and cut off the classifier; raises InputError when the file does not deliver a model."""
    path, function = locate(name)
    module = _call(function_in(path, function, "model"), f"file:{name}")
    wanted = getattr(module, "preprocessing", None)
    preprocessing = wanted if isinstance(wanted, Preprocessing) else Preprocessing(REFERENCE_SIZE)
    size = image_size or preprocessing.size
    classifier = find_classifier(module, size=size, channels=in_channels, name=f"file:{name}")
    return Backbone(
        module=remove(module, classifier),
        features=classifier.features,
        preprocessing=replace(preprocessing, size=size),
        stride=classifier.stride,
        name=f"file:{name}",
        head_names=(classifier.path,),
    )


def build_from_hub(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """There is no hub for a local file; always raises InputError."""
    raise InputError(str(hub_problem(name)), next_step=f"name a weights file: file:{name}@weights.safetensors")


def default_weights(name: str) -> WeightsRef | None:
    """None: only the user knows."""
    locate(name)
    return None


def hub_problem(name: str) -> str | None:
    """Always a reason."""
    return f"file:{name} is a local model, no hub has weights for it"


def names() -> list[str]:
    """None: local files are not listed."""
    return []


def locate(name: str) -> tuple[Path, str]:
    """`model.py:build` as path and function; raises InputError when it is not of that form or the file is missing."""
    return located(name, "model")


def code_hash(model: str) -> str | None:
    """SHA-256 of a `file:` model's source, which may change under the same name; None for other models."""
    spec = ModelSpec.parse(model)
    return hashlib.sha256(locate(spec.name)[0].read_bytes()).hexdigest() if spec.scheme == "file" else None


def _call(function: Callable[[], object], name: str) -> nn.Module:
    try:
        module = function()
    except FAILURES as error:
        raise broken(f"The code of {name} must run without arguments", error) from error
    if not isinstance(module, nn.Module):
        raise InputError(
            f"The function of {name} must return a model", found=type(module).__name__, allowed="a torch.nn.Module"
        )
    return module
