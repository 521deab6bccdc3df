"""ONNX with 8-bit integers for onnxruntime: static, calibrated on training images, weights per channel.

Never dynamic: of networks with depthwise convolutions that destroys the accuracy. LayerNorm, softmax and activations
such as GELU stay in float.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from jaxtyping import UInt
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from azeotrope.exporting.deployed import INPUT
from azeotrope.exporting.target import Conversion, Program, converting
from azeotrope.exporting.targets._onnxruntime import OnnxProgram

FILES = ("model.int8.onnx",)
INT8 = True
WEIGHTED = ("Conv", "Gemm", "MatMul")
BETWEEN = ("Add", "AveragePool", "Clip", "Concat", "GlobalAveragePool", "MaxPool", "Mul", "Relu", "Reshape")
"""What keeps 8 bits from one convolution to the next. Left in float where a network has LayerNorms: the values that its
residual connections add up have outliers, of which 256 levels leave nothing.
"""
_CALIBRATED_AT_A_TIME = 16


def convert(conversion: Conversion, file: Path) -> None:
    """From the float file. Raises NotExported where nothing in it can be computed in 8 bits."""
    source = conversion.file_of("onnx")
    prepared = source.with_name("prepared.onnx")
    with _silent(), converting("onnxruntime cannot quantise this network", "the float file, --to onnx"):
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(str(prepared)).graph
        quantize_static(
            str(prepared),
            str(file),
            _Images(conversion.calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*WEIGHTED, *(() if _has_layer_norm(graph) else BETWEEN)],
            nodes_to_exclude=_left_in_float(graph),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
        )


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """The file, to be run by onnxruntime on the processor; `outputs` names what `answer` gives."""
    return OnnxProgram(file, outputs, int8=True)


class _Images(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is not typed
    """The calibration images, some at a time."""

    def __init__(self, pixels: UInt[np.ndarray, "n bands H W"]) -> None:
        self._parts: Iterator[Any] = iter(np.array_split(pixels, -(-len(pixels) // _CALIBRATED_AT_A_TIME)))

    def get_next(self) -> dict[str, Any] | None:
        """The next input, None after the last."""
        part = next(self._parts, None)
        return None if part is None else {INPUT: part.astype(np.float32)}


def _has_layer_norm(graph: Any) -> bool:
    return any(node.op_type == "LayerNormalization" for node in graph.node)


def _left_in_float(graph: Any) -> list[str]:
    """Products of two activations (attention), and the normalisation of the input."""
    weights = {tensor.name for tensor in graph.initializer}
    products = [node.name for node in graph.node if node.op_type == "MatMul" and not weights & set(node.input)]
    return products + [node.name for node in graph.node if INPUT in node.input]


@contextmanager
def _silent() -> Iterator[None]:
    """The quantizer's advice on its own preparation is for its own callers."""

    def errors_only(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR

    logging.getLogger().addFilter(errors_only)
    try:
        yield
    finally:
        logging.getLogger().removeFilter(errors_only)
