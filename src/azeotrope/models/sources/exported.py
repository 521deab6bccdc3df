"""Exported programs as teachers, for models whose code one does not have: `exported:teacher.onnx`, `exported:x.pt2`.

A program holds its weights and cannot be trained, so it is never a student. What it does not say, how its images are
prepared, stands beside it in a YAML file of the same name (`Sidecar`).
"""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

from pydantic import Field
from torch import Tensor, nn

from azeotrope.errors import InputError
from azeotrope.models.backbone import Backbone, Preprocessing
from azeotrope.models.pretrained.weights import Weights
from azeotrope.models.probe import pooled_width, probe
from azeotrope.models.sources._program import Program
from azeotrope.models.spec import WeightsRef
from azeotrope.spec import Spec, from_yaml

READERS = {".onnx": "_onnx", ".pt2": "_pt2"}
FORM = "exported:FILE.onnx, or exported:FILE.pt2 as torch.export.save writes it"


class Sidecar(Spec):
    """What stands in `teacher.yaml` beside `teacher.onnx`: images of `image_size` pixels, (pixel / 255 - mean) / std.

    `output` is the place of the pooled embedding among the program's outputs, where it has several.
    """

    image_size: int = Field(ge=8)
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    output: int | None = Field(default=None, ge=0)
    licence: str | None = None


class Embedder(nn.Module):
    """A program as a module from images [B, 3, H, W] to embeddings [B, F].

    It has no parameters of its own and is not moved or switched by torch; the program follows its images.
    """

    def __init__(self, program: Program, output: int) -> None:
        super().__init__()
        self._program, self._output = program, output

    def forward(self, images: Tensor) -> Tensor:
        """A map of one cell, [B, F, 1, 1], is an embedding too."""
        answer = self._program(images)[self._output].float()
        return answer.flatten(1) if answer.shape[2:].numel() == 1 else answer


def build(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """There is nothing to start from anew; always raises InputError."""
    _locate(name)
    raise InputError(
        f"An exported program can only teach, and with the weights it holds: exported:{name}",
        allowed="as --teacher, without @",
        next_step="take a student of timm:, torchvision: or file:",
    )


def build_from_hub(name: str, *, image_size: int | None, in_channels: int = 3) -> Backbone:
    """The program with the weights it holds; raises InputError when it or its sidecar cannot be used."""
    path = _locate(name)
    sidecar = _sidecar(path)
    program: Program = importlib.import_module(f"azeotrope.models.sources.{READERS[path.suffix]}").read(path)
    module = Embedder(program, _output(name, program, sidecar))
    size = image_size or sidecar.image_size
    found = probe(module, size=size, channels=in_channels, name=f"exported:{name}")
    return Backbone(
        module=module,
        features=pooled_width(found, f"exported:{name}"),
        preprocessing=Preprocessing(size, sidecar.mean, sidecar.std, sidecar.interpolation),
        stride=found.stride,
        name=f"exported:{name}",
        weights=Weights(str(path), _hash(program.files), sidecar.licence),
    )


def default_weights(name: str) -> WeightsRef | None:
    """Those that the program holds."""
    _locate(name)
    return WeightsRef("hub")


def hub_problem(name: str) -> str | None:
    """None: a program that is there has its weights."""
    _locate(name)
    return None


def names() -> list[str]:
    """None: local files are not listed."""
    return []


def _locate(name: str) -> Path:
    path = Path(name).expanduser()
    if path.suffix not in READERS or not path.is_file():
        raise InputError("An exported program is a file", found=f"exported:{name}", allowed=FORM)
    return path


def _sidecar(path: Path) -> Sidecar:
    file = path.with_suffix(".yaml")
    if not file.is_file():
        raise InputError(
            f"How images are prepared for {path.name} must stand beside it",
            found=f"no {file.name}",
            allowed="image_size: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] (as the model needs "
            "them), and optionally interpolation, output, licence",
            next_step=f"write {file}",
        )
    return from_yaml(Sidecar, file)


def _output(name: str, program: Program, sidecar: Sidecar) -> int:
    if sidecar.output is None and len(program.outputs) == 1:
        return 0
    if sidecar.output is None or sidecar.output >= len(program.outputs):
        raise InputError(
            f"Which output of exported:{name} is the pooled embedding must be said",
            found=f"{len(program.outputs)} outputs: "
            + ", ".join(f"{place} is {said}" for place, said in enumerate(program.outputs)),
            next_step="write `output: PLACE` into its YAML file",
        )
    return sidecar.output


def _hash(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()
