"""Reads an ONNX program with onnxruntime. Not a source: `exported` is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from azeotrope.errors import InputError, MissingDependency
from azeotrope.models.sources._program import Program, only_images, unreadable

try:
    import onnx
    import onnxruntime
except ImportError as error:
    raise MissingDependency(
        "ONNX programs need the packages onnx and onnxruntime",
        next_step="install them: pip install 'azeotrope[export]'",
    ) from error

KINDS: dict[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}
PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")  # others round otherwise or need settings


@dataclass(frozen=True)
class OnnxProgram(Program):
    """A session of onnxruntime."""

    session: Any
    kind: type[np.floating[Any]]

    def run(self, images: Tensor) -> list[Tensor]:
        """Through host memory: onnxruntime and torch share none here."""
        given = {self.session.get_inputs()[0].name: images.cpu().numpy().astype(self.kind)}
        return [torch.from_numpy(output).to(images.device) for output in self.session.run(None, given)]


def read(path: Path) -> OnnxProgram:
    """Open the program; raises InputError when it cannot be read or does not take images alone."""
    providers = [name for name in PROVIDERS if name in onnxruntime.get_available_providers()]
    try:
        files = (path, *_external(path))
        session = onnxruntime.InferenceSession(str(path), providers=providers)
    except Exception as error:  # onnxruntime's own kinds of error have no common one
        raise unreadable(path, error) from error
    inputs = session.get_inputs()
    only_images(path, [one.name for one in inputs])
    if inputs[0].type not in KINDS:
        raise InputError(
            f"The program {path.name} must take images as floating-point numbers",
            found=inputs[0].type,
            allowed=", ".join(KINDS),
            next_step="export it without its own preprocessing",
        )
    batch = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None
    outputs = tuple(f"{one.name} {one.shape}" for one in session.get_outputs())
    return OnnxProgram(files, outputs, batch, session, KINDS[inputs[0].type])


def _external(path: Path) -> list[Path]:
    """Files beside the program that hold its weights."""
    graph = onnx.load(path, load_external_data=False).graph
    named = {entry.value for tensor in graph.initializer for entry in tensor.external_data if entry.key == "location"}
    return [path.parent / name for name in sorted(named)]
