"""ExecuTorch with 8-bit integers by torchao's PT2E: static, calibrated on training images, weights per channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azeotrope.exporting.target import Conversion, Program
from azeotrope.exporting.targets import _elsewhere as elsewhere

FILES = ("model.int8.pte",)
INT8 = True
BACKEND = elsewhere.EXECUTORCH


def convert(conversion: Conversion, file: Path) -> None:
    """From the exported program; its input and outputs stay in float."""
    elsewhere.quantise(BACKEND, conversion, conversion.file_of("pt2"), file)


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """The file, to be run in its environment on the processor; `outputs` names what `answer` gives."""
    return elsewhere.ElsewhereProgram(BACKEND, file, outputs, int8=INT8)
