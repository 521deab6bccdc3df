"""Reads a program of torch.export. Not a source: `exported` is.

torch's own reader falls back to pickles and loads compiled code where an archive holds them. So the archive is looked
at first, and one that holds more than tensors and a graph is refused. Even so the graph comes from its author: a .pt2
deserves the trust that one gives a program, not a picture.
"""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.passes import move_to_device_pass

from azeotrope.errors import InputError
from azeotrope.models.sources._program import Program, only_images, unreadable

PLAIN = re.compile(
    r"(models/\w+\.json|data/weights/(weight_\d+|\w+_weights_config\.json)|data/sample_inputs/\w+\.pt"
    r"|data/constants/(tensor_\d+|\w+_constants_config\.json)|archive_format|archive_version|byteorder|version"
    r"|\.data/\w+|extra/.*)"
)


@dataclass(frozen=True)
class TorchProgram(Program):
    """A graph of torch, on whatever device its images are."""

    exported: ExportedProgram
    kind: torch.dtype

    def run(self, images: Tensor) -> list[Tensor]:
        """A single output counts as a list of one."""
        answer = _on(self.exported, str(images.device))(images.to(self.kind))
        return list(answer) if isinstance(answer, (tuple, list)) else [answer]


def read(path: Path) -> TorchProgram:
    """Open the program; raises InputError when it cannot be read, holds pickles, or does not take images alone."""
    _check_archive(path)
    try:
        exported = torch.export.load(path)
    except Exception as error:  # torch has no one error for what its versions cannot read
        raise unreadable(path, error) from error
    only_images(path, list(exported.graph_signature.user_inputs))
    values = {node.name: node.meta.get("val") for node in exported.graph.nodes}
    image: Any = values[exported.graph_signature.user_inputs[0]]
    outputs = tuple(f"{name} {list(values[str(name)].shape)}" for name in exported.graph_signature.user_outputs)
    batch = image.shape[0] if isinstance(image.shape[0], int) else None
    return TorchProgram((path,), outputs, batch, exported, image.dtype)


@lru_cache(maxsize=1)
def _on(exported: ExportedProgram, device: str) -> torch.nn.Module:
    return move_to_device_pass(exported, device).module()


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename.partition("/")[2] for info in archive.infolist()]
            odd = [name for name in names if not PLAIN.fullmatch(name)]
            odd += [name for name in set(names) if names.count(name) > 1]
            for info, name in zip(archive.infolist(), names, strict=True):
                if name.endswith("_config.json") and re.search(rb'"use_pickle":\s*true', archive.read(info)):
                    odd.append(name)
                if name.startswith("data/sample_inputs/"):
                    torch.load(io.BytesIO(archive.read(info)), weights_only=True)
    except pickle.UnpicklingError as error:
        raise _not_plain(path, "sample inputs that are not tensors") from error
    except (zipfile.BadZipFile, EOFError, RuntimeError, ValueError) as error:
        raise unreadable(path, error) from error
    if odd:
        raise _not_plain(path, ", ".join(sorted(odd)[:5]))


def _not_plain(path: Path, found: str) -> InputError:
    return InputError(
        f"{path.name} holds more than tensors and a graph and was not opened: loading it could run code",
        found=found,
        allowed="what torch.export.save of torch 2.8 or later writes for plain tensors",
        next_step="export the model again, or export it to ONNX",
    )
