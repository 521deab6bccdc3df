"""OpenVINO's own format in 32-bit floats, for Intel processors, their GPUs and NPUs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azeotrope.exporting.target import Conversion, Program, converting
from azeotrope.exporting.targets._openvino import OpenvinoProgram, openvino

FILES = ("model.xml", "model.bin")
INT8 = False


def convert(conversion: Conversion, file: Path) -> None:
    """From the ONNX file, by OpenVINO's reader; its converter would send telemetry."""
    source = conversion.file_of("onnx")
    with converting("OpenVINO cannot read this network", "another target, such as onnx, or another student"):
        openvino.save_model(openvino.Core().read_model(str(source)), str(file), compress_to_fp16=False)


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """The file, to be run by OpenVINO on the processor; `outputs` names what `answer` gives."""
    return OpenvinoProgram(file, outputs, int8=False)
