"""A trained model on disk: a folder with model.safetensors, model.yaml and card.md, and nothing that is executed.

The exception is a user's own `file:` model: its source file is copied into the folder, since without it the weights
are useless, and it runs when the folder is loaded. model.yaml is written last, so a folder that has it is whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import safe_open

from azeotrope.errors import InputError, message_of
from azeotrope.labels import KindName
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.card import Fact, card
from azeotrope.models.cost import parameters
from azeotrope.models.load import load_network
from azeotrope.models.network import Network
from azeotrope.models.pretrained.weights import Weights, fingerprint, load_into, read_safetensors
from azeotrope.models.sources.file import locate
from azeotrope.models.spec import ModelSpec
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.spec import problems

CODE = "architecture.py"
# What a safetensors file says of the images that its weights were trained on: its keys, and the facts kept under them.
_TRAINED_ON = {"azeotrope_task": "fingerprint", "azeotrope_images": "images"}


@dataclass(frozen=True)
class SavedModel:
    """A trained network in eval mode, the classes of its outputs in order, and how to prepare its images.

    Of the kind `number` it answers the value itself, in `unit`, and `classes` holds the name of what is measured.
    """

    network: Network
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    spec: ModelSpec
    facts: Mapping[str, Fact]
    kind: KindName = "single"
    unit: str | None = None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Code(_Part):
    """The copied source of a `file:` model."""

    function: str
    sha256: str


class _Description(_Part):
    """model.yaml. `sha256` is that of the tensors, so that a folder mixed from two models is noticed."""

    architecture: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    sha256: str
    code: _Code | None = None
    kind: KindName = "single"
    unit: str | None = None
    facts: dict[str, Fact] = {}


def save_model(
    folder: Path,
    network: Network,
    *,
    spec: ModelSpec | str,
    classes: Sequence[str],
    preprocessing: Preprocessing,
    weights: Weights | None = None,
    extra: Mapping[str, Fact] | None = None,
    kind: KindName = "single",
    unit: str | None = None,
) -> None:
    """Write the network so that `load_model` gives the same outputs.

    `weights` are what it started from, for the card; `extra` are facts to keep with it (data fingerprint, errors,
    seed). Raises StoreError when the folder cannot be written.
    """
    spec = ModelSpec.parse(spec) if isinstance(spec, str) else spec
    code, source = _code_of(spec)
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in network.state_dict().items()}
    description = _Description(
        architecture=spec.architecture,
        classes=tuple(classes),
        preprocessing=preprocessing,
        sha256=fingerprint(tensors),
        code=code,
        kind=kind,
        unit=unit,
        facts=dict(extra or {}),
    )
    facts = description.facts
    text = card(
        architecture=spec.architecture,
        parameters=parameters(network),
        classes=classes,
        kind=kind,
        unit=unit,
        preprocessing=preprocessing,
        weights=weights,
        facts=facts,
    )
    try:
        if source is not None:
            write_atomically(folder / CODE, source)
        known = {key: str(facts[fact]) for key, fact in _TRAINED_ON.items() if fact in facts}
        write_atomically(folder / "model.safetensors", safetensors.torch.save(tensors, known or None))
        write_atomically(folder / "card.md", text)
        write_atomically(folder / "model.yaml", _to_yaml(description))
    except OSError as error:
        raise cannot_write(folder, error) from error


def load_model(folder: Path) -> SavedModel:
    """Read a folder that `save_model` wrote. Raises InputError when it is not one, or was changed since."""
    description = _read_description(folder)
    spec = _spec_of(description, folder)
    look = description.preprocessing
    loaded = load_network(
        spec, len(description.classes), image_size=look.size, pretrained=False, seed=0, in_channels=len(look.mean)
    )
    path = folder / "model.safetensors"
    tensors = read_safetensors(path)
    if fingerprint(tensors) != description.sha256:
        raise _changed(folder, path.name)
    load_into(loaded.network, tensors, head_names=(), source=str(path))
    network = loaded.network.eval()
    return SavedModel(
        network,
        description.classes,
        description.preprocessing,
        spec,
        description.facts,
        description.kind,
        description.unit,
    )


def model_folder(named: Path) -> Path:
    """The model's own folder, also when the output folder around it was named. Raises InputError where that holds
    several.
    """
    inside = sorted(file.parent for file in named.glob("models/*/model.yaml"))
    if (named / "model.yaml").exists() or not inside:
        return named
    if len(inside) > 1:
        raise InputError(
            f"The folder {named} holds several models",
            found=", ".join(map(str, inside)),
            next_step="name one of these",
        )
    return inside[0]


def trained_on(spec: ModelSpec) -> frozenset[str]:
    """The digests of the images that these weights were trained on here: of the task, and of its images however they
    were split. Empty for other weights, or none at all.
    """
    if spec.weights is None or spec.weights.kind != "file":
        return frozenset()
    path = Path(spec.weights.where).expanduser()
    path = path / "model.safetensors" if path.is_dir() else path
    beside = path.parent / "model.yaml"
    if path.suffix == ".safetensors" and path.is_file():
        with safe_open(path, "pt") as file:
            said = file.metadata() or {}
        if known := {said[key] for key in _TRAINED_ON if key in said}:
            return frozenset(known)
    if beside.is_file():  # saved before the file itself said so
        try:
            facts = _read_description(path.parent).facts
        except InputError:
            return frozenset()
        return frozenset(str(facts[fact]) for fact in _TRAINED_ON.values() if facts.get(fact) is not None)
    return frozenset()


def _code_of(spec: ModelSpec) -> tuple[_Code | None, bytes | None]:
    if spec.scheme != "file":
        return None, None
    path, function = locate(spec.name)
    source = path.read_bytes()
    return _Code(function=function, sha256=hashlib.sha256(source).hexdigest()), source


def _spec_of(description: _Description, folder: Path) -> ModelSpec:
    if description.code is None:
        return ModelSpec.parse(description.architecture)
    path = folder / CODE
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != description.code.sha256:
        raise _changed(folder, CODE)
    return ModelSpec("file", f"{path}:{description.code.function}")


def _to_yaml(description: _Description) -> str:
    content = description.model_dump(mode="json")
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _read_description(folder: Path) -> _Description:
    path = folder / "model.yaml"
    if not path.is_file():
        raise InputError(
            "A saved model is a folder with model.yaml, model.safetensors and card.md",
            found=f"no model.yaml in {folder}",
            next_step="name a folder that `azeotrope distill` or `azeotrope compare` wrote under models/",
        )
    try:
        return _Description.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        unknown = [str(item["loc"][-1]) for item in error.errors() if item["type"] == "extra_forbidden"]
        if unknown:
            raise InputError(
                f"{path} was written by another version of azeotrope",
                found=f"keys that this version does not know: {', '.join(unknown)}",
                next_step="use the version that saved the model, or train it again",
            ) from error
        raise InputError(f"{path} cannot be read", found="; ".join(problems(_Description, error))) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read", found=message_of(error)) from error


def _changed(folder: Path, name: str) -> InputError:
    return InputError(
        f"The files of the saved model {folder} must belong together",
        found=f"{name} is missing, or not the one that model.yaml describes",
        next_step="copy the whole folder again from where the model was trained",
    )
