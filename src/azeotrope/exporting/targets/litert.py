"""LiteRT (TensorFlow Lite) in 32-bit floats, for phones and boards; needs `--env`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azeotrope.exporting.target import Conversion, Program
from azeotrope.exporting.targets import _elsewhere as elsewhere

FILES = ("model.tflite",)
INT8 = False
BACKEND = elsewhere.LITERT


def convert(conversion: Conversion, file: Path) -> None:
    """By litert-torch from the exported program, for one image at a time."""
    elsewhere.convert(BACKEND, conversion, file)


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """The file, to be run in its environment on the processor; `outputs` names what `answer` gives."""
    return elsewhere.ElsewhereProgram(BACKEND, file, outputs, int8=INT8)
