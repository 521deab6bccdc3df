"""ONNX in 32-bit floats, for onnxruntime on any device and in a browser: one file, any number of images."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import torch

from azeotrope.exporting.deployed import INPUT
from azeotrope.exporting.target import Conversion, Program, converting
from azeotrope.exporting.targets._onnxruntime import OnnxProgram

FILES = ("model.onnx",)
INT8 = False
OPSET = 18  # the lowest that torch's exporter writes without converting: what old runtimes read


def convert(conversion: Conversion, file: Path) -> None:
    """By torch's exporter, from the traced graph. What the exporter prints of its work goes to standard error."""
    exported = conversion.exported
    rule, instead = (
        "torch's exporter cannot write this network as ONNX",
        "another target, such as pt2, or another student",
    )
    with converting(rule, instead), redirect_stdout(sys.stderr):
        torch.onnx.export(
            exported,
            (),
            file,
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=conversion.deployed.outputs,
            external_data=False,
            verbose=False,
        )


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """The file, to be run by onnxruntime on the processor; `outputs` names what `answer` gives."""
    return OnnxProgram(file, outputs, int8=False)
