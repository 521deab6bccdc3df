"""OpenVINO models on Intel's and other processors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt

from azeotrope.errors import MissingDependency
from azeotrope.exporting.deployed import INPUT
from azeotrope.exporting.target import AT_A_TIME, Program, timed
from azeotrope.record.machine.processors import processors
from azeotrope.record.storage.verification import Latency

os.environ.setdefault("NNCF_CI", "1")  # NNCF then sends no telemetry; it asks nobody before it does
try:
    import nncf as nncf  # openvino_int8.py takes it from here, after the line above
    import openvino as openvino
except ImportError as error:
    raise MissingDependency(
        "OpenVINO files need the packages openvino and nncf",
        next_step="install them: pip install 'azeotrope[openvino]'",
    ) from error

_IN_8_BITS = ("i8", "u8", "int8_t", "uint8_t")
_COUNTED = ("Convolution", "FullyConnected", "MatMul", "Deconvolution")


def compiled(file: Path, threads: int) -> Any:
    """Ready to run in 32-bit floats: some processors would take 16-bit ones unasked."""
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    return openvino.Core().compile_model(str(file), "CPU", settings)


@dataclass(frozen=True)
class OpenvinoProgram(Program):
    """A model of OpenVINO on the processor, compiled with the first answer."""

    file: Path
    outputs: Sequence[str]
    int8: bool

    @cached_property
    def _compiled(self) -> Any:
        return compiled(self.file, processors())

    def answer(self, pixels: UInt[np.ndarray, "n bands H W"]) -> tuple[Float[np.ndarray, "n C"], ...]:
        """Outputs for all images, computed some at a time by all processors of this process."""
        model = self._compiled
        parts = [model(_given(pixels[start : start + AT_A_TIME])) for start in range(0, len(pixels), AT_A_TIME)]
        return tuple(np.concatenate([part[name] for part in parts]) for name in self.outputs)

    def latency(self, pixels: UInt[np.ndarray, "1 bands H W"]) -> Latency:
        """Milliseconds for one image, by a model compiled for one thread."""
        model, given = compiled(self.file, 1), _given(pixels)
        return timed(lambda: model(given))

    def int8_share(self) -> float | None:
        """By the precision that OpenVINO's plugin reports of each layer it runs."""
        if not self.int8:
            return None
        layers = compiled(self.file, 1).get_runtime_model().get_ops()
        facts = [(_fact(layer, "layerType"), _fact(layer, "runtimePrecision")) for layer in layers]
        counted = [precision for kind, precision in facts if kind in _COUNTED]
        return sum(precision in _IN_8_BITS for precision in counted) / max(1, len(counted))


def _given(pixels: UInt[np.ndarray, "n bands H W"]) -> dict[str, Any]:
    return {INPUT: pixels.astype(np.float32)}


def _fact(layer: Any, key: str) -> str:
    return str(layer.rt_info[key].value)
