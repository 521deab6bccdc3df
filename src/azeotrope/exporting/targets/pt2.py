"""torch's own exported program, for C++ (libtorch, AOTInductor) and Python with torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt
from torch import Tensor

from azeotrope.exporting.target import AT_A_TIME, Conversion, Program, converting, timed
from azeotrope.record.storage.verification import Latency

FILES = ("model.pt2",)
INT8 = False


def convert(conversion: Conversion, file: Path) -> None:
    """Write the traced graph as torch.export saves it. Raises NotExported where torch cannot store it."""
    exported = conversion.exported
    with converting("torch cannot store this network's graph", "another target, such as onnx, or another student"):
        torch.export.save(exported, file)


def open_program(file: Path, outputs: Sequence[str]) -> Program:
    """The file, to be run by torch on the processor; `outputs` are in the graph already."""
    return TorchProgram(file)


@dataclass(frozen=True)
class TorchProgram(Program):
    """The stored graph, run by torch on the processor."""

    file: Path

    @cached_property
    def _module(self) -> torch.nn.Module:
        return torch.export.load(self.file).module()

    @torch.inference_mode()
    def answer(self, pixels: UInt[np.ndarray, "n bands H W"]) -> tuple[Float[np.ndarray, "n C"], ...]:
        """Outputs for all images, computed some at a time to bound memory."""
        module = self._module
        parts = [module(_floats(pixels[start : start + AT_A_TIME])) for start in range(0, len(pixels), AT_A_TIME)]
        return tuple(torch.cat(each).numpy() for each in zip(*parts, strict=True))

    @torch.inference_mode()
    def latency(self, pixels: UInt[np.ndarray, "1 bands H W"]) -> Latency:
        """Milliseconds for one image on one thread; torch's number of threads is put back afterwards."""
        module, given, before = self._module, _floats(pixels), torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return timed(lambda: module(given))
        finally:
            torch.set_num_threads(before)


def _floats(pixels: UInt[np.ndarray, "n bands H W"]) -> Tensor:
    return torch.from_numpy(pixels).to(torch.float32)
