"""Core ML in 32-bit floats for Apple's devices; needs `--env`. Converted here, and not run: only Apple's systems do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azeotrope.exporting.target import Conversion, NotRunHere, Program
from azeotrope.exporting.targets import _elsewhere as elsewhere

FILES = (
    "model.mlpackage/Manifest.json",
    "model.mlpackage/Data/com.apple.CoreML/model.mlmodel",
    "model.mlpackage/Data/com.apple.CoreML/weights/weight.bin",
)
INT8 = False
RUN_HERE = False
BACKEND = elsewhere.COREML


def convert(conversion: Conversion, file: Path) -> None:
    """By coremltools from the exported program, for one image at a time."""
    elsewhere.convert(BACKEND, conversion, file)


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """There is none here. Raises NotRunHere."""
    raise NotRunHere(
        f"{file.parent.name} is not run here",
        found="Core ML runs on macOS and iOS only",
        next_step="hold it against the network's outputs in samples/expected.json there",
    )
