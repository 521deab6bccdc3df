"""Vision models of transformers: `hf:facebook/dinov2-small` from the hub, `hf:FOLDER` from a folder in the same format.

The configuration decides everything and is read first: family, size, normalisation. Code of a repository is never
run. Of models with a text side only the image side is built. The embedding is the family's own (`_pooling`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from azeotrope.errors import InputError, MissingDependency
from azeotrope.models.backbone import Backbone, Preprocessing
from azeotrope.models.classifier import stride_of
from azeotrope.models.pretrained import hub, licence
from azeotrope.models.pretrained.weights import Weights, fingerprint
from azeotrope.models.probe import pooled_width, probe
from azeotrope.models.sources._pooling import UNMASKED, WITHOUT_POOLER, Pooled
from azeotrope.models.spec import WeightsRef

try:
    import transformers
except ImportError as error:
    raise MissingDependency(
        "Models of hf: need the package transformers", next_step="install it: pip install 'azeotrope[hf]'"
    ) from error

INTERPOLATION = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers


def build(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The model with random weights; raises InputError for unknown names and for code that would have to be run."""
    config = _vision(_config(name))
    config.num_channels = in_channels
    with _quiet():
        module = transformers.AutoModel.from_config(config, **_arguments(config))
    return _backbone(name, config, module, image_size, in_channels)


def build_from_hub(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The model with the weights of its repository or folder; raises InputError when they cannot be had or lack any."""
    whole = _config(name)
    config = _vision(whole)
    if problem := hub_problem(name):
        raise hub.unavailable(f"hf:{name}", problem, offline=OFFLINE)
    module = _load(name, config)
    backbone = _backbone(name, config, module, image_size, in_channels)
    source = name if Path(name).is_dir() else f"hub:{name}"
    named = licence.of_config(whole.to_dict()) or hub.card_licence(name)
    found = Weights(source, fingerprint(module.state_dict()), named, _classes(whole))
    return replace(backbone, weights=found)


def default_weights(name: str) -> WeightsRef | None:
    """Those of the repository or folder itself."""
    if not Path(name).is_dir() and name.count("/") != 1:
        raise InputError(
            "A model of transformers is named by its repository or its folder",
            found=f"hf:{name}",
            allowed="hf:OWNER/NAME, or hf:FOLDER with config.json, preprocessor_config.json and model.safetensors",
        )
    return WeightsRef("hub")


def hub_problem(name: str) -> str | None:
    """Why the weights cannot be had; None when they are in the folder, cached or reachable."""
    default_weights(name)
    if not Path(name).is_dir():
        return hub.repository_problem(name)
    return None if hub.weights_in(Path(name)) else f"there is none of {', '.join(hub.FILENAMES)} in {name}"


def names() -> list[str]:
    """None: the hub's repositories are not listed."""
    return []


OFFLINE = "copy the repository's config.json, preprocessor_config.json and model.safetensors to a folder: hf:FOLDER"


def _config(name: str) -> Any:
    """The configuration, read as data before anything is built from it."""
    default_weights(name)
    problem = None if Path(name).is_dir() else hub_problem(name)
    path = None if problem else hub.small_file(name, "config.json")
    if path is None:
        raise hub.unavailable(f"hf:{name}", problem or "there is no config.json", offline=OFFLINE)
    try:
        wants_code = "auto_map" in json.loads(path.read_text(encoding="utf-8"))
        if not wants_code:
            with _quiet():
                return transformers.AutoConfig.from_pretrained(path.parent, trust_remote_code=False)
    except (ValueError, OSError, KeyError, TypeError) as error:  # each family checks its configuration in its own way
        raise InputError(
            f"hf:{name} must be a model that transformers knows",
            found=hub.reason(error),
            next_step="take another repository; pip install -U transformers knows newer families",
        ) from error
    raise InputError(
        f"hf:{name} wants to run code of its repository, which is never done here",
        found="auto_map in its config.json",
        allowed="families that transformers itself has",
        next_step="take the model from timm: or open_clip:, export it and use exported:, or wrap it for file:",
    )


def _vision(config: Any) -> Any:
    """The image side of a configuration that has several."""
    vision = getattr(config, "vision_config", None) or config
    for key, value in UNMASKED.get(vision.model_type, {}).items():
        setattr(vision, key, value)
    return vision


def _arguments(config: Any) -> dict[str, bool]:
    return {"add_pooling_layer": False} if config.model_type in WITHOUT_POOLER else {}


def _load(name: str, config: Any) -> nn.Module:
    """Tensors only; a tensor that the file lacks would stay random, so that is refused."""
    with _quiet():
        try:
            module, report = transformers.AutoModel.from_pretrained(
                name,
                config=config,
                trust_remote_code=False,
                weights_only=True,
                dtype="float32",
                output_loading_info=True,
                **_arguments(config),
            )
        except Exception as error:  # network, cache, file and family each fail in their own ways
            raise InputError(
                f"The weights of hf:{name} must be files of tensors that fit its configuration",
                found=hub.reason(error),
                next_step="fetch or copy them again; weights are read as tensors only, pickles that hold more never",
            ) from error
    missing = sorted(report["missing_keys"])
    if missing or report["mismatched_keys"]:
        raise InputError(
            f"The weights of hf:{name} must be complete",
            found=f"{len(missing)} tensors missing ({', '.join(missing[:5])}), {len(report['mismatched_keys'])} of "
            "another shape; they would be random",
            next_step="take a repository that holds the whole image model",
        )
    return module  # type: ignore[no-any-return]  # transformers' auto classes are not typed


def _backbone(name: str, config: Any, module: nn.Module, image_size: int | None, in_channels: int) -> Backbone:
    preprocessing = _preprocessing(name, image_size)
    pooled = Pooled(module, config.model_type)
    found = probe(pooled, size=preprocessing.size, channels=in_channels, name=f"hf:{name}")
    return Backbone(
        module=pooled,
        features=pooled_width(found, f"hf:{name}"),
        preprocessing=preprocessing,
        stride=stride_of(pooled, size=preprocessing.size, channels=in_channels, name=f"hf:{name}"),
        name=f"hf:{name}",
        adapt=_refuse_file,
    )


def _preprocessing(name: str, image_size: int | None) -> Preprocessing:
    """What the repository's image processor does; without one, how to feed the model is not known."""
    with _quiet():
        try:
            processor = transformers.AutoImageProcessor.from_pretrained(name, trust_remote_code=False)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"hf:{name} must say how its images are prepared",
                found=f"no preprocessor_config.json that can be read ({hub.reason(error)})",
                next_step="copy the repository's preprocessor_config.json beside config.json",
            ) from error
    scale = 255 * processor.rescale_factor if processor.do_rescale else 255.0
    mean, std = (processor.image_mean, processor.image_std) if processor.do_normalize else ((0.0,) * 3, (1.0,) * 3)
    return Preprocessing(
        size=image_size or _side(processor),
        mean=tuple(value / scale for value in mean),
        std=tuple(value / scale for value in std),
        interpolation=INTERPOLATION.get(int(processor.resample), "bicubic"),
    )


def _side(processor: Any) -> int:
    """The side of the square that the model sees: of the crop where there is one."""
    cropped = getattr(processor, "do_center_crop", None) and getattr(processor, "crop_size", None)
    box = dict(processor.crop_size if cropped else processor.size)
    return int(box.get("height") or box.get("shortest_edge") or box["longest_edge"])


def _classes(config: Any) -> int | None:
    """Outputs of the classifier that the checkpoint was saved with, if it was one."""
    classified = any("ForImageClassification" in name for name in config.architectures or ())
    return len(config.id2label) if classified else None


def _refuse_file(_module: nn.Module, _tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    raise InputError(
        "Weights of a model of transformers lie in its folder",
        found="a weights file after @",
        allowed="hf:FOLDER with config.json, preprocessor_config.json and model.safetensors",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's bars and reports on standard error."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
