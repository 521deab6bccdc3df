"""OpenVINO with 8-bit integers by NNCF: static, calibrated on training images, weights per channel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from azeotrope.exporting.deployed import INPUT
from azeotrope.exporting.target import Conversion, Program, converting
from azeotrope.exporting.targets._openvino import OpenvinoProgram, nncf, openvino

FILES = ("model.int8.xml", "model.int8.bin")
INT8 = True


def convert(conversion: Conversion, file: Path) -> None:
    """From the ONNX file. In networks with LayerNorms NNCF leaves in float what transformers do not stand."""
    model = openvino.Core().read_model(str(conversion.file_of("onnx")))
    transformer = any(layer.get_type_name() == "MVN" for layer in model.get_ops())
    pixels = conversion.calibration
    with converting("NNCF cannot quantise this network", "the float file, --to openvino"):
        made = nncf.quantize(
            model,
            nncf.Dataset(range(len(pixels)), lambda place: {INPUT: pixels[place : place + 1].astype(np.float32)}),
            subset_size=len(pixels),
            model_type=nncf.ModelType.TRANSFORMER if transformer else None,
        )
    openvino.save_model(made, str(file), compress_to_fp16=False)


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """The file, to be run by OpenVINO on the processor; `outputs` names what `answer` gives."""
    return OpenvinoProgram(file, outputs, int8=True)
