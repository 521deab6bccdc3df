"""What training scripts put around the tensors of a network, and how its names are found in it.

Only plain data is read beside tensors; what a file is, its first bytes say. Where a file holds two sets of weights, the
person is asked which.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import importlib
import pathlib
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from azeotrope.data.decoding.foreign import POINTERS_AND_PAGES, called_by_name
from azeotrope.errors import InputError

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "ema", "params_ema")
_INSIDE = ("module", "shadow", "shadow_params")  # of an average's own record
PREFIXES = ("module.", "_orig_mod.")  # left by DistributedDataParallel and torch.compile, in any order
_USUAL = ("model.", "net.", "network.", "backbone.", "encoder.")  # the attribute that held the network
_COUNTERS = ("total_ops", "total_params", "n_averaged")  # left by profilers and by weight averaging
_ANCHORS = 3  # of the network's names that tell where in a file it may stand
_CLASSIFIER_TENSORS = 8
SHOWN = 5


def _numpy_types() -> list[Any]:
    """What a NumPy number or array is rebuilt from: types and two functions that make arrays of bytes."""
    multiarray: Any = importlib.import_module("numpy._core.multiarray")
    made: list[Any] = [np.dtype, np.ndarray]
    made += sorted({type(np.dtype(code)) for code in "?bBhHiIlLqQefd"}, key=str)
    for function in (multiarray.scalar, multiarray._reconstruct):
        made += [function, (function, f"numpy.core.multiarray.{function.__name__}")]
    return made


PLAIN_DATA: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    argparse.Namespace,
    collections.Counter,
    datetime.datetime,
    datetime.timedelta,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePosixPath,
    *_numpy_types(),
]
"""Types that hold values and run nothing; `torch.load` is told to allow them."""

_OTHER_FILES: Mapping[bytes, tuple[str, str]] = {
    **POINTERS_AND_PAGES,
    b"{": ("a text in JSON", "fetch the file of weights itself"),
    b"\x1f\x8b": ("compressed with gzip", "unpack it"),
    b"\x89hdf": ("an HDF5 file (Keras)", "save the weights with PyTorch"),
    b"\x93numpy": ("a NumPy array", "save a state_dict"),
    b"gguf": ("a GGUF file", "save the weights with PyTorch"),
}


def refuse_other_files(path: Path) -> None:
    """Raise InputError for a file that is called weights and is something else, by the name of what it is."""
    with path.open("rb") as file:
        start = file.read(64)
    if told := called_by_name(start, _OTHER_FILES):
        raise InputError(f"{path.name} is {told[0]}", found=f"{start[:24]!r} at its start", next_step=told[1])


def kind_of_file(path: Path) -> str | None:
    """What the first bytes say it is, "safetensors" or "torch"; None for neither."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(16)
    if len(start) > 9 and start[8:9] == b"{" and struct.unpack("<Q", start[:8])[0] < size:
        return "safetensors"
    return "torch" if start.startswith((b"PK\x03\x04", b"\x80")) else None


def unwrapped(content: object, path: Path, part: str = "") -> dict[str, Tensor]:
    """The named tensors in what a file holds; `part` names the key or the first part of the names to take. Raises
    InputError where there are none, or two sets of them.
    """
    if part and isinstance(content, Mapping) and isinstance(content.get(part), Mapping):
        content, part = content[part], ""
    elif isinstance(content, Mapping):
        content = _inside(content, path)
    if isinstance(content, Mapping) and any(isinstance(content.get(key), Mapping) for key in _INSIDE):
        content = next(content[key] for key in _INSIDE if isinstance(content.get(key), Mapping))
    tensors = dict(content) if isinstance(content, Mapping) else {}
    if not tensors or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise InputError(
            f"{path.name} must hold named tensors",
            found=f"a {type(content).__name__} with {', '.join(map(str, list(tensors)[:SHOWN])) or 'nothing'}",
            allowed=f"a state_dict, plain or under {', '.join((*WRAPPERS, *AVERAGED))}",
        )
    if part:
        tensors = _under(tensors, f"{part.rstrip('.')}.")
        if not tensors:
            raise InputError(f"{path.name} holds no tensors called {part}.*", next_step="correct what stands behind #")
    return _without_prefixes(tensors)


def _inside(content: Mapping[Any, Any], path: Path) -> Mapping[Any, Any]:
    """What the wrappers hold; an averaged network beside the last one is asked about."""
    for _ in range(len(WRAPPERS)):
        plain = [key for key in WRAPPERS if isinstance(content.get(key), Mapping)]
        averaged = [key for key in AVERAGED if isinstance(content.get(key), Mapping)]
        if plain and averaged:
            raise InputError(
                f"{path.name} holds two sets of weights",
                found=f"{plain[0]} (as trained last) and {averaged[0]} (averaged over the training)",
                allowed=f"{path.name}#{plain[0]} or {path.name}#{averaged[0]}",
                next_step="write which after the file's name, with #",
            )
        if not plain and not averaged:
            return content
        content = content[(plain or averaged)[0]]
    return content


def _without_prefixes(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = dict(tensors)
    while prefix := next((mark for mark in PREFIXES if all(name.startswith(mark) for name in found)), ""):
        found = _under(found, prefix)
    return {name.replace("._orig_mod.", "."): tensor for name, tensor in found.items()}


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def rooted(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """The tensors below the first part of their names under which all of the network's own names are found.

    Where there is none, a usual first part that all share is removed. Raises InputError where several would do.
    """
    names = [name for name in own if not name.endswith("num_batches_tracked")]
    candidates = {
        found.removesuffix(name)
        for name in names[:_ANCHORS]
        for found in tensors
        if found == name or found.endswith(f".{name}")
    }
    fitting = sorted(prefix for prefix in candidates if all(f"{prefix}{name}" in tensors for name in names))
    if "" in fitting:
        return dict(tensors)
    if len(fitting) > 1:
        listed = ", ".join(prefix.rstrip(".") for prefix in fitting)
        raise InputError(
            f"The weights in {source} hold this network several times",
            found=f"under {listed}",
            allowed=f"one of {listed}",
            next_step="write which after the file's name, with #, such as FILE#" + fitting[0].rstrip("."),
        )
    if fitting:
        return _under(tensors, fitting[0])
    shared = next((mark for mark in _USUAL if all(name.startswith(mark) for name in tensors)), "")
    return _under(tensors, shared)


def is_counter(name: str) -> bool:
    """Whether a profiler left this tensor."""
    return name.rpartition(".")[2] in _COUNTERS


def is_classifier(extra: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> bool:
    """Whether these tensors, which the body lacks, are a classifier of another name: a layer or two that map vectors,
    in modules that the body has not.
    """
    modules = {name.partition(".")[0] for name in own}
    apart = all(name.partition(".")[0] not in modules for name in extra)
    return apart and len(extra) <= _CLASSIFIER_TENSORS and max(tensor.ndim for tensor in extra.values()) == 2
