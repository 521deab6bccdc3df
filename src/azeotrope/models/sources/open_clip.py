"""Image towers of open_clip: `open_clip:ViT-B-32.laion2b_s34b_b79k`, `open_clip:OWNER/NAME`, `open_clip:FOLDER`.

The embedding is that of `encode_image`, which lies in one space with the text's; it is not yet of length one. The text
tower is read only when class names are to be turned into a head (`class_weights`), and forgotten afterwards.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from azeotrope.errors import InputError, MissingDependency
from azeotrope.lookup import unknown
from azeotrope.models.backbone import Backbone, Preprocessing
from azeotrope.models.classifier import stride_of
from azeotrope.models.pretrained import hub
from azeotrope.models.pretrained.weights import Weights, fingerprint
from azeotrope.models.probe import pooled_width, probe
from azeotrope.models.spec import WeightsRef

try:
    import open_clip
    from open_clip.convert import convert_state_dict
except ImportError as error:
    raise MissingDependency(
        "Models of open_clip: need the package open_clip_torch", next_step="install it: pip install 'azeotrope[clip]'"
    ) from error

CONFIG = "open_clip_config.json"
OFFLINE = f"copy {CONFIG} and the weights to a folder: open_clip:FOLDER, or name a file: open_clip:ARCHITECTURE@FILE"


@dataclass(frozen=True)
class _Named:
    """A name as open_clip takes it: `model` with its schema, and the `tag` that chooses among weights of a listed one.

    A tag decides normalisation and activation too, so none is assumed where weights come from a file.
    """

    model: str
    tag: str | None = None

    @classmethod
    def parse(cls, name: str) -> _Named:
        """Raises InputError with the nearest names for an architecture or a tag that is not known."""
        if (Path(name) / CONFIG).is_file():
            return cls(f"local-dir:{name}")
        if name.count("/") == 1 and not Path(name).exists():
            return cls(f"hf-hub:{name}")
        architecture, _, tag = name.partition(".")
        if architecture not in open_clip.list_models():
            raise unknown("open_clip model", name, names())
        tags = open_clip.list_pretrained_tags_by_model(architecture)
        if tag and tag not in tags:
            raise unknown(f"set of weights of open_clip:{architecture}", tag, tags)
        return cls(architecture, tag or None)

    def with_tag(self) -> _Named:
        """The same with the first tag that open_clip lists, where none was named."""
        if self.tag or ":" in self.model:
            return self
        return _Named(self.model, next(iter(open_clip.list_pretrained_tags_by_model(self.model)), None))

    @property
    def settings(self) -> Mapping[str, Any]:
        """What open_clip knows of the tag's weights: repository, normalisation."""
        return open_clip.get_pretrained_cfg(self.model, self.tag) or {} if self.tag else {}

    @property
    def repository(self) -> str | None:
        """The Hugging Face repository that holds the weights, if one does."""
        if self.model.startswith("hf-hub:"):
            return self.model.removeprefix("hf-hub:")
        return "/".join(str(self.settings.get("hf_hub", "")).split("/")[:2]) or None


class ImageTower(nn.Module):
    """The image side of a model of open_clip, from images [B, 3, H, W] to embeddings [B, F]."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, images: Tensor) -> Tensor:
        """Some towers also answer their tokens, which are left out."""
        answer = self.visual(images)
        pooled: Tensor = answer[0] if isinstance(answer, tuple) else answer
        return pooled


def build(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The image tower with random weights; raises InputError for unknown names and sizes that cannot be had."""
    return _backbone(name, _create(name, image_size, pretrained=False), in_channels)


def build_from_hub(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The image tower with its weights from folder, cache or hub; raises InputError when they cannot be had."""
    if problem := hub_problem(name):
        raise hub.unavailable(f"open_clip:{name}", problem, offline=OFFLINE)
    backbone = _backbone(name, _create(name, image_size, pretrained=True), in_channels)
    named = _Named.parse(name).with_tag()
    where = name if Path(name).is_dir() else named.repository
    source = name if Path(name).is_dir() else f"hub:{where or named.settings.get('url')}"
    found = Weights(source, fingerprint(backbone.module.state_dict()), hub.card_licence(where) if where else None)
    return replace(backbone, weights=found)


def class_weights(name: str, classes: Sequence[str], weights: Path | None) -> Tensor:
    """One row of logit weights per class name, [C, F], for embeddings of length one: text embeddings times the scale.

    Each name is put into open_clip's seven short sentences for pictures and the embeddings are averaged (Radford et
    al. 2021, section 3.1.4). `weights` is a file; None takes the source's own.
    """
    model = _create(name, None, pretrained=weights is None)
    try:
        if weights is not None:
            open_clip.load_checkpoint(model, str(weights))
        rows = open_clip.build_zero_shot_classifier(
            model.eval(),
            open_clip.get_tokenizer(_Named.parse(name).model),
            classes,
            open_clip.SIMPLE_IMAGENET_TEMPLATES,
        )
    except (OSError, RuntimeError, ValueError) as error:  # a file of another model; a tokenizer that is on a hub
        raise InputError(
            f"The text tower of open_clip:{name} must be there to make a head of class names",
            found=hub.reason(error),
            next_step="name weights of both towers with their tokenizer's files, or fit the head on labels (linear)",
        ) from error
    scaled: Tensor = model.logit_scale.detach().exp() * rows.T
    return scaled


def default_weights(name: str) -> WeightsRef | None:
    """The folder's or the hub's; None for an architecture whose weights nobody published."""
    named = _Named.parse(name).with_tag()
    return WeightsRef("hub") if named.tag or ":" in named.model else None


def hub_problem(name: str) -> str | None:
    """Why the weights cannot be had; None when they are in the folder, cached or reachable."""
    named = _Named.parse(name).with_tag()
    if Path(name).is_dir():
        return None if hub.weights_in(Path(name)) else f"there is none of {', '.join(hub.FILENAMES)} in {name}"
    if named.repository:
        return hub.repository_problem(named.repository)
    url = named.settings.get("url")
    return hub.url_problem(str(url)) if url else f"open_clip has no pretrained weights for {name}"


def names() -> list[str]:
    """The architectures that open_clip lists, about 140."""
    return list(open_clip.list_models())


def _create(name: str, image_size: int | None, *, pretrained: bool) -> Any:
    named = _Named.parse(name).with_tag() if pretrained else _Named.parse(name)
    try:
        with _quiet():
            return open_clip.create_model(
                named.model,
                pretrained=named.tag if pretrained else None,
                load_weights=pretrained,
                require_pretrained=pretrained,
                pretrained_text=False,
                force_image_size=image_size,
                force_quick_gelu=bool(named.settings.get("quick_gelu")),  # open_clip itself would only warn
                force_preprocess_cfg=_normalisation(named),
            )
    except Exception as error:  # network, cache, file and configuration each fail in their own ways
        raise hub.unavailable(f"open_clip:{name}", hub.reason(error), offline=OFFLINE) from error


def _normalisation(named: _Named) -> dict[str, Any]:
    """That of the tag's weights, which open_clip itself sets only when it loads them."""
    return {key: named.settings[key] for key in ("mean", "std", "interpolation") if key in named.settings}


def _backbone(name: str, model: Any, in_channels: int) -> Backbone:
    if in_channels != 3:
        raise InputError("The models of open_clip take images of three channels", found=f"{in_channels} channels")
    tower = ImageTower(model.visual)
    settings = open_clip.get_model_preprocess_cfg(model)
    size = settings["size"] if isinstance(settings["size"], int) else settings["size"][0]
    found = probe(tower, size=size, channels=3, name=f"open_clip:{name}")
    return Backbone(
        module=tower,
        features=pooled_width(found, f"open_clip:{name}"),
        preprocessing=Preprocessing(size, tuple(settings["mean"]), tuple(settings["std"]), settings["interpolation"]),
        stride=stride_of(tower, size=size, channels=3, name=f"open_clip:{name}"),
        name=f"open_clip:{name}",
        adapt=_adapt,
    )


def _adapt(module: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The image tower's tensors of a file of both towers, renamed and resized as open_clip itself does it."""
    converted = convert_state_dict(module, dict(tensors))
    image = {key: value for key, value in converted.items() if key.startswith("visual.")}
    if not image:
        return tensors  # another architecture's file: the loader lists how it differs
    open_clip.factory.resize_pos_embed(image, module)
    return image


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's log of its steps; what fails is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
