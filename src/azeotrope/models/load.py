"""From a spec to a model that is ready: built, initialised from a seed or with pretrained weights, checked.

Everything random is drawn from the seed given here and leaves torch's global generator as it was, so that two arms
with the same seed start alike whatever was done before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from azeotrope.errors import InputError
from azeotrope.models.backbone import Backbone, Preprocessing, check_size
from azeotrope.models.network import Network
from azeotrope.models.pretrained import hub, packages
from azeotrope.models.pretrained import licence as licences
from azeotrope.models.pretrained.checkpoint import rooted
from azeotrope.models.pretrained.weights import Weights, fingerprint, load_into, read_tensors
from azeotrope.models.sources import source_of
from azeotrope.models.spec import ModelSpec, WeightsRef

HEAD_STREAM = 1_000_003  # keeps the head's random numbers apart from the body's, which start from the seed itself


@dataclass(frozen=True)
class Loaded:
    """A student: the network, how to prepare its images, its stride in pixels, and its weights (None: random)."""

    network: Network
    preprocessing: Preprocessing
    stride: int
    weights: Weights | None


def load_network(
    spec: ModelSpec | str, classes: int, *, image_size: int | None, pretrained: bool, seed: int, in_channels: int = 3
) -> Loaded:
    """A student with a fresh head for `classes` classes, for images of `in_channels` channels at `image_size` pixels
    (None: the model's own).

    The head's start depends on the seed and the width of the features only, so arms of one seed share it whatever
    the init of the body. Raises InputError for unknown models, weights that do not fit or cannot be had, and images
    smaller than the stride.
    """
    backbone = load_backbone(spec, pretrained, image_size=image_size, seed=seed, in_channels=in_channels)
    with seeded(seed + HEAD_STREAM):
        head = nn.Linear(backbone.features, classes)
    network = Network(backbone.module, head)
    return Loaded(network, backbone.preprocessing, backbone.stride, backbone.weights)


def load_backbone(
    spec: ModelSpec | str,
    pretrained: bool = True,
    *,
    image_size: int | None = None,
    seed: int = 0,
    in_channels: int = 3,
) -> Backbone:
    """A model without classifier, as teachers need it, at its own resolution unless `image_size` says otherwise.

    Weights of a file may be made for `in_channels`. Others are those of colour: for other channels the first layer gets
    the mean of its three, scaled so that equal channels give what grey gave. Raises InputError as `load_network` does.
    """
    spec = ModelSpec.parse(spec) if isinstance(spec, str) else spec
    source = source_of(spec.scheme)
    with seeded(seed):
        if not pretrained:
            return _checked(
                source.build(spec.name, image_size=image_size, in_channels=in_channels), image_size, in_channels
            )
        reference = spec.weights or source.default_weights(spec.name)
        if reference is None:
            raise _no_weights(spec)
        from_hub = reference.kind == "hub"
        if (
            reference.kind == "file"
            and in_channels != 3
            and (own := _own_weights(spec, reference, image_size, in_channels))
        ):
            return own
        build = source.build_from_hub if from_hub else source.build
        colour = _checked(build(spec.name, image_size=image_size), image_size)
        if not from_hub:
            colour = replace(colour, weights=_fill(colour, reference, _fitted(colour, reference)))
        if in_channels == 3:
            return colour
        shaped = _checked(
            source.build(spec.name, image_size=image_size, in_channels=in_channels), image_size, in_channels
        )
        _widened(shaped, colour)
        return replace(shaped, weights=colour.weights)


def class_weights(spec: ModelSpec | str, classes: Sequence[str]) -> Tensor:
    """Logit weights [C, F] for embeddings of length one, made of class names by the model's own text side.

    Raises InputError for a source that has none.
    """
    spec = ModelSpec.parse(spec) if isinstance(spec, str) else spec
    made = getattr(source_of(spec.scheme), "class_weights", None)
    if made is None:
        raise InputError(
            f"A head made of class names needs a teacher that reads text too, which {spec.architecture} does not",
            allowed="open_clip: models",
            next_step="take one of these, or leave out --teacher-head",
        )
    file = _path_of(spec.weights) if spec.weights and spec.weights.kind != "hub" else None
    weights: Tensor = made(spec.name, classes, file)
    return weights


def weights_available(spec: ModelSpec | str) -> str | None:
    """Why pretrained weights of this model cannot be had here, in one sentence; None when they can.

    Takes a few seconds at most: files are looked for, the hub's cache and then the hub are asked, nothing is fetched.
    """
    spec = ModelSpec.parse(spec) if isinstance(spec, str) else spec
    source = source_of(spec.scheme)
    reference = spec.weights or source.default_weights(spec.name)
    if reference is None:
        return f"no pretrained weights are known for {spec.architecture}"
    if reference.kind == "hub":
        return source.hub_problem(spec.name)
    try:
        path = _path_of(reference)
    except InputError as error:
        return str(error)
    return None if path.is_file() else f"there is no weights file {path}"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from `seed` inside, and put the global generator back afterwards.

    Only the CPU's generator is used: models are built there and moved later, so that every device starts alike.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _fitted(backbone: Backbone, reference: WeightsRef) -> Mapping[str, Tensor]:
    """The tensors of a file or a package, by the names of the module."""
    tensors = read_tensors(_path_of(reference))
    if reference.kind == "package":
        tensors = packages.by_position(tensors, backbone.module, str(reference))
    tensors = rooted(tensors, backbone.module.state_dict(), str(reference))
    return backbone.adapt(backbone.module, tensors)


def _fill(backbone: Backbone, reference: WeightsRef, fitted: Mapping[str, Tensor]) -> Weights:
    package = packages.package_named(reference.where) if reference.kind == "package" else None
    licence = package.licence if package else licences.beside(_path_of(reference))
    left = load_into(backbone.module, fitted, head_names=backbone.head_names, source=str(reference))
    heads = [*(f"{name}.weight" for name in backbone.head_names), *reversed(left)]
    classes = next((len(fitted[key]) for key in heads if key in fitted and fitted[key].ndim == 2), None)
    return Weights(str(reference), fingerprint(backbone.module.state_dict()), licence, classes)


def _path_of(reference: WeightsRef) -> Path:
    if reference.kind == "package":
        return packages.weights_file(packages.package_named(reference.where))
    path = Path(reference.where).expanduser()
    return (hub.weights_in(path) or path / hub.FILENAMES[0]) if path.is_dir() else path


def _checked(backbone: Backbone, image_size: int | None, in_channels: int = 3) -> Backbone:
    check_size(backbone, image_size or backbone.preprocessing.size)
    return replace(backbone, preprocessing=backbone.preprocessing.for_channels(in_channels))


def _own_weights(spec: ModelSpec, reference: WeightsRef, image_size: int | None, in_channels: int) -> Backbone | None:
    """The model with weights that were made for so many channels; None where they were made for colour.

    Raises InputError for weights that fit neither.
    """
    shaped = source_of(spec.scheme).build(spec.name, image_size=image_size, in_channels=in_channels)
    shaped = _checked(shaped, image_size, in_channels)
    fitted, own = _fitted(shaped, reference), shaped.module.state_dict()
    if any(name in own and _for_colour(tensor, own[name]) for name, tensor in fitted.items()):
        return None
    return replace(shaped, weights=_fill(shaped, reference, fitted))


def _for_colour(tensor: Tensor, wanted: Tensor) -> bool:
    """Whether these are the filters of colour where those of another number of channels are wanted."""
    return wanted.shape != tensor.shape and tensor.ndim == 4 and tensor.shape[1] == 3


def _widened(shaped: Backbone, colour: Backbone) -> None:
    """Give a model of other channels the weights of one for colour."""
    own, given = shaped.module.state_dict(), dict(colour.module.state_dict())
    for name, tensor in given.items():
        wanted = own.get(name)
        if wanted is not None and _for_colour(tensor, wanted):
            channels = wanted.shape[1]
            given[name] = tensor.mean(1, keepdim=True).expand(-1, channels, -1, -1) * (3 / channels)
    load_into(shaped.module, given, head_names=(), source=f"{colour.name}, made for colour")


def _no_weights(spec: ModelSpec) -> InputError:
    return InputError(
        f"No pretrained weights are known for {spec.architecture}",
        allowed=f"{spec.architecture}@FILE with a .safetensors or .pth file of this architecture",
        next_step="name a weights file, take a model with weights, or start from random weights",
    )
