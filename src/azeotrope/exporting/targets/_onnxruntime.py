"""ONNX files in onnxruntime, and what of them it really computes in 8 bits."""

from __future__ import annotations

import tempfile
from collections import Counter
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

try:
    import onnx
    import onnxruntime
    import onnxscript  # noqa: F401 (torch's exporter needs it and says so late)
except ImportError as error:
    raise MissingDependency(
        "ONNX files need the packages onnx, onnxruntime and onnxscript",
        next_step="install them: pip install 'azeotrope[export]'",
    ) from error

_IN_8_BITS = frozenset(
    ("QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat")
)
_IN_FLOAT = frozenset(("Conv", "FusedConv", "NhwcFusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"))


def session(file: Path, threads: int, *, optimized: Path | None = None) -> Any:
    """A session on the processor; with `optimized` the graph that it really runs is written there."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3  # errors
    if optimized is not None:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class OnnxProgram(Program):
    """A session of onnxruntime on the processor, opened with the first answer."""

    file: Path
    outputs: Sequence[str]
    int8: bool

    @cached_property
    def _session(self) -> Any:
        return session(self.file, processors())

    def answer(self, pixels: UInt[np.ndarray, "n bands H W"]) -> tuple[Float[np.ndarray, "n C"], ...]:
        """Outputs for all images, computed some at a time by all processors of this process."""
        parts = [
            self._session.run(list(self.outputs), {INPUT: pixels[start : start + AT_A_TIME].astype(np.float32)})
            for start in range(0, len(pixels), AT_A_TIME)
        ]
        return tuple(np.concatenate(each) for each in zip(*parts, strict=True))

    def latency(self, pixels: UInt[np.ndarray, "1 bands H W"]) -> Latency:
        """Milliseconds for one image, by a session of its own with one thread."""
        opened, given = session(self.file, 1), {INPUT: pixels.astype(np.float32)}
        return timed(lambda: opened.run(None, given))

    def int8_share(self) -> float | None:
        """Counted in the graph as onnxruntime optimises it: pairs of quantising and dequantising that it could not
        join with a kernel count as float.
        """
        if not self.int8:
            return None
        with tempfile.TemporaryDirectory() as folder:
            optimized = Path(folder) / "optimized.onnx"
            session(self.file, 1, optimized=optimized)
            counts = Counter(node.op_type for node in onnx.load(str(optimized)).graph.node)
        ours = sum(counts[name] for name in _IN_8_BITS)
        return ours / max(1, ours + sum(counts[name] for name in _IN_FLOAT))
