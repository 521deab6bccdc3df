"""Reads weights from a local file and puts them into a module, whole or not at all.

Nothing in a file is executed: pickles are read with `weights_only`. A file that does not fit is refused with both
sides listed, because a half-loaded teacher looks like a bad teacher.
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from azeotrope.errors import InputError, message_of
from azeotrope.models.pretrained.checkpoint import (
    PLAIN_DATA,
    is_classifier,
    is_counter,
    kind_of_file,
    refuse_other_files,
    unwrapped,
)
from azeotrope.models.pretrained.pickles import refused

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")
SHOWN = 5  # keys listed a side when a file does not fit

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class Weights:
    """Which pretrained weights a model has: where from, the hash of what was loaded, and their licence if known.

    `classes` is how many outputs the classifier had that was left out; None when there was none, or it is not known.
    """

    source: str
    sha256: str
    licence: str | None = None
    classes: int | None = None


def fingerprint(tensors: Tensors) -> str:
    """SHA-256 over name, type, shape and bytes of every tensor, sorted by name.

    Taken of a module's `state_dict()` after loading, so that equal weights from any source hash equally.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The named tensors of a .safetensors or .pth file, unwrapped; `FILE#PART` names one of several sets in it.

    What a file is, its first bytes say, whatever its suffix. Raises InputError for anything else.
    """
    path, part = _parted(path.expanduser())
    if not path.is_file():
        raise InputError("The weights file must exist", found=str(path), next_step="check the path after @")
    refuse_other_files(path)
    kind = kind_of_file(path)
    if kind is None and path.suffix not in SUFFIXES:
        raise InputError("Weights come as a file of tensors", found=path.name, allowed=", ".join(SUFFIXES))
    by_suffix = "safetensors" if path.suffix == ".safetensors" else "torch"
    content = read_safetensors(path) if (kind or by_suffix) == "safetensors" else _read_pickle(path)
    return _own_body(unwrapped(content, path, part))


def _parted(path: Path) -> tuple[Path, str]:
    """The file, and what stands behind # where no file is called so."""
    if path.is_file() or "#" not in path.name:
        return path, ""
    name, _, part = path.name.partition("#")
    return path.with_name(name), part


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file as they are named there. Raises InputError when it is missing or damaged."""
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error


def load_into(module: nn.Module, tensors: Tensors, *, head_names: Iterable[str], source: str) -> tuple[str, ...]:
    """Copy `tensors` into `module`, casting half precision up; the names of a classifier that was left out.

    Left out are tensors of a classifier that the module lacks, called as in `head_names` or, beside a whole body,
    anything else; and what profilers leave. Any other difference in names, shapes or kind of number raises InputError
    listing both sides, and leaves the module as it was.
    """
    own = module.state_dict()
    heads = tuple(f"{name}." for name in head_names)
    known = {name: tensor for name, tensor in tensors.items() if name in own or not is_counter(name)}
    left = tuple(name for name in known if name not in own and name.startswith(heads))
    body = {name: tensor for name, tensor in known.items() if name not in left}
    # Files older than torch 0.4.1 lack the counters; only BatchNorm without momentum reads them.
    missing = [name for name in own if name not in body and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in body if name not in own]
    differing = [name for name in own if name in body and not _fits(body[name], own[name])]
    if unexpected and not missing and is_classifier({name: body[name] for name in unexpected}, own):
        left, unexpected = (*left, *unexpected), []
        body = {name: tensor for name, tensor in body.items() if name in own}
    if missing or unexpected or differing:
        raise _mismatch(source, body, own, missing=missing, unexpected=unexpected, differing=differing)
    module.load_state_dict(body, strict=False)
    return left


def _fits(given: Tensor, wanted: Tensor) -> bool:
    return given.shape == wanted.shape and given.is_floating_point() == wanted.is_floating_point()


def _mismatch(
    source: str, body: Tensors, own: Tensors, *, missing: list[str], unexpected: list[str], differing: list[str]
) -> InputError:
    sides = [f"{name} {_form(body[name])} in the file, {_form(own[name])} in the model" for name in differing]
    found = [
        f"{len(names)} {label} ({', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''})"
        for label, names in (
            ("only in the model", missing),
            ("only in the file", unexpected),
            ("of another form", sides),
        )
        if names
    ]
    return InputError(
        f"The weights in {source} must be those of this architecture",
        found=f"{len(body)} tensors in the file, {len(own)} in the model: {'; '.join(found)}",
        next_step="name the architecture these weights were trained with, or other weights after @",
    )


def _form(tensor: Tensor) -> str:
    return f"{list(tensor.shape)}" if tensor.is_floating_point() else f"{list(tensor.shape)} {tensor.dtype}"


def _read_pickle(path: Path) -> object:
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(PLAIN_DATA):
            warnings.simplefilter("ignore")  # of old protocols and TorchScript: what follows says it better
            return torch.load(path, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        AttributeError,
        TypeError,
        IndexError,
        NotImplementedError,
    ) as error:  # torch has no one error
        held = refused(error)
        if held is None and not isinstance(error, pickle.UnpicklingError):
            raise _damaged(path, error) from error
        raise InputError(
            f"{path.name} is not a plain file of tensors and was not opened: loading it could run code",
            found=held or "it holds more than tensors",
            allowed="tensors and plain data only",
            next_step="ask for a .safetensors file of its weights, or save its state_dict as one where it was made",
        ) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"The weights file {path.name} cannot be read",
        found=message_of(error)[:200],
        next_step="fetch or copy the file again",
    )


def _own_body(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A model saved by this program holds `backbone.` and `head.`; as weights for another task only the body counts."""
    if not all(name.startswith(("backbone.", "head.")) for name in tensors):
        return tensors
    body = {name.removeprefix("backbone."): value for name, value in tensors.items() if name.startswith("backbone.")}
    return body or tensors
