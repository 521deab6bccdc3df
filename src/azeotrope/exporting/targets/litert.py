"""LiteRT (TensorFlow Lite), for phones and boards, in 32-bit floats. Made and run in an environment of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azeotrope.exporting.environment import ElsewhereProgram
from azeotrope.exporting.target import Conversion, Program
from azeotrope.exporting.targets._elsewhere import LITERT

FILES = ("model.tflite",)
INT8 = False
BACKEND = LITERT


def convert(conversion: Conversion, file: Path) -> None:
    """From the exported program; one image at a time."""
    BACKEND.convert(conversion, file, int8=False)


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """In LiteRT."""
    return ElsewhereProgram(BACKEND, file, outputs, int8=False)
