"""Opens a diffusers pipeline from a hub or a local folder: safetensors only, no code from either, nothing taken out.

A hub's pipeline is downloaded first and the folder judged before anything in it is loaded: diffusers itself would read
pickled weights from a local folder although safetensors were asked for (its issue 11601). A safety checker that the
pipeline ships stays in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.models.pretrained.hub import reason
from azeotrope.synthesis.unet import diffusers_member

_PICKLED = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_INDEX = "model_index.json"


def open_pipeline(model: str, revision: str | None, device: Device, *, from_image: bool) -> tuple[Any, str | None]:
    """The pipeline on the device, for prompts or (`from_image`) for redrawing images, and the hub's revision.

    Raises InputError for what is not found, not reachable, or not safe to load.
    """
    local = Path(model).expanduser()
    folder = local if local.is_dir() else _downloaded(model, revision)
    _check_safe(model, folder)
    kind = diffusers_member("AutoPipelineForImage2Image" if from_image else "DiffusionPipeline")
    try:
        pipeline = kind.from_pretrained(folder, use_safetensors=True, torch_dtype=device.dtype)
    except (OSError, ValueError, RuntimeError, ImportError, AttributeError, TypeError) as error:
        raise InputError(
            f"The generator {model} cannot be loaded",
            found=reason(error),
            allowed="a diffusers pipeline that redraws images" if from_image else "any diffusers pipeline",
            next_step="check that it is complete, or take another --generator",
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device.name), None if local.is_dir() else folder.name


def _downloaded(model: str, revision: str | None) -> Path:
    """The hub's snapshot; its folder is named by the commit."""
    try:
        folder = diffusers_member("DiffusionPipeline").download(model, revision=revision, use_safetensors=True)
    except Exception as error:  # the hub's client has a dozen exceptions, its transport as many
        raise InputError(
            f"The generator {model} is neither a local folder nor to be had from the hub",
            found=reason(error),
            allowed="a folder with model_index.json, or a hub id such as stabilityai/sd-turbo",
            next_step="check the spelling, the connection and the hub's access rules; or train your own with --train",
        ) from error
    return Path(folder)


def _check_safe(model: str, folder: Path) -> None:
    """A pipeline's folder, without code, and with safetensors wherever there are pickled weights."""
    index = folder / _INDEX
    try:
        known = isinstance(json.loads(index.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        known = False
    if not known:
        raise InputError(
            f"{model} is not a diffusers pipeline",
            found=f"no readable {_INDEX} in {folder}",
            allowed="a folder that `save_pretrained` wrote",
            next_step="name the folder that holds model_index.json, or a hub id",
        )
    for file in sorted(folder.rglob("*")):
        if file.suffix == ".py":
            raise InputError(
                f"The generator {model} brings code of its own, which is never run",
                found=str(file.relative_to(folder)),
                allowed="pipelines made of diffusers' and transformers' own classes",
                next_step="take another --generator",
            )
        if file.suffix in _PICKLED and not list(file.parent.glob("*.safetensors")):
            raise InputError(
                f"The generator {model} has weights that can hide code (pickle)",
                found=str(file.relative_to(folder)),
                allowed=".safetensors",
                next_step="convert them (`save_pretrained(..., safe_serialization=True)`), or take another --generator",
            )
