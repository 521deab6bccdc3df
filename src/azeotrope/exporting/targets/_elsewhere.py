"""The backends that run in an environment of their own, and a file of theirs as a program.

LiteRT's and ExecuTorch's packages pin torch or its companions below what azeotrope takes. Their torch is the lowest
that azeotrope takes, and reads programs that later ones saved (checked with 2.15); one that it cannot read is refused.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt

from azeotrope.exporting import target
from azeotrope.exporting.environment import Backend
from azeotrope.exporting.target import Conversion, Program
from azeotrope.record.storage.verification import Latency

LITERT = Backend(
    "litert",
    ("litert-torch==0.10.0", "ai-edge-quantizer==0.10.0", "ai-edge-litert==2.3.0", "torch==2.13.0"),
    megabytes=2_000,
)
EXECUTORCH = Backend("executorch", ("executorch==1.5.1", "torchao==0.18.0", "torch==2.13.0"), megabytes=1_300)
COREML = Backend("coreml", ("coremltools==9.0", "torch==2.13.0"), megabytes=900)


def convert(backend: Backend, conversion: Conversion, file: Path) -> None:
    """Write the float file from torch's exported program. Raises NotExported with the operator's name."""
    backend.ask("convert", source=str(conversion.file_of("pt2")), images=_calibration(conversion), file=str(file))


def quantise(backend: Backend, conversion: Conversion, source: Path, file: Path) -> None:
    """Write the int8 file from `source`, which is what the backend quantises. Raises NotExported likewise."""
    named = (str(node.target) for node in conversion.exported.graph.nodes)
    layer_norm = any("_norm" in name and "batch_norm" not in name for name in named)
    images = _calibration(conversion)
    backend.ask("quantise", source=str(source), images=images, file=str(file), layer_norm=layer_norm)


@dataclass(frozen=True)
class ElsewhereProgram(Program):
    """A file in its backend's own environment."""

    backend: Backend
    file: Path
    outputs: Sequence[str]
    int8: bool

    def answer(self, pixels: UInt[np.ndarray, "n bands H W"]) -> tuple[Float[np.ndarray, "n C"], ...]:
        """Outputs for all images, one after the other."""
        with tempfile.TemporaryDirectory() as folder:
            self._ask("answer", pixels, folder, outputs=list(self.outputs), folder=folder)
            return tuple(np.load(Path(folder) / f"{name}.npy") for name in self.outputs)

    def latency(self, pixels: UInt[np.ndarray, "1 bands H W"]) -> Latency:
        """Milliseconds for one image on one thread."""
        with tempfile.TemporaryDirectory() as folder:
            runs, seconds = target.TIMED
            said = self._ask("latency", pixels, folder, warm_up=target.WARM_UP, runs=runs, seconds=seconds)
        return Latency.model_validate(said)

    def int8_share(self) -> float | None:
        """As the backend counts them in the file."""
        return float(self.backend.ask("int8_share", file=str(self.file))) if self.int8 else None

    def _ask(self, action: str, pixels: UInt[np.ndarray, "n bands H W"], place: str, **request: Any) -> Any:
        given = Path(place) / "images.npy"
        np.save(given, pixels)
        return self.backend.ask(action, file=str(self.file.absolute()), images=str(given), **request)


def _calibration(conversion: Conversion) -> str:
    """Its images as a file, written once."""
    place = conversion.work / "calibration.npy"
    if not place.exists():
        np.save(place, conversion.calibration)
    return str(place)
