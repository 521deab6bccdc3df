"""Holds each file against the trained network on real images: the same answers, the accuracy, the time.

Random pixels prove nothing: published exporters passed on noise and were wrong on photographs. So every image here is
one of the task's validation images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from azeotrope.errors import InputError, NotExported
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.drop import Verdict, drop, verdict
from azeotrope.exporting.target import AT_A_TIME, Latency, Program, Target, timed
from azeotrope.exporting.temperature import Calibration
from azeotrope.kinds._kind import UNSCALED, Kind, Labels
from azeotrope.record.run import EnvironmentFacts
from azeotrope.spec import Spec, from_yaml

FILE = "verification.json"
TOLERANCE = 1e-3  # of the spread of the outputs: what 32-bit floats in another order may differ by
TIE = 2e-3  # of that spread: answers closer together than this are the same answer


class Parity(Spec):
    """How far two stages of the way from picture to answer are apart, on `images` real images.

    `spread` is the standard deviation of what is compared; `answers_differ` counts images with another answer, `ties`
    those of them whose two best answers the network itself holds for equal.
    """

    stage: str
    images: int
    largest: float
    mean: float
    spread: float
    answers_differ: int = 0
    ties: int = 0


class Drop(Spec):
    """Error of the file less that of the network on the same validation images, with its interval, and whether that is
    less than `allowed`.
    """

    value: float
    low: float
    high: float
    level: float
    allowed: float
    verdict: Verdict

    @property
    def said(self) -> str:
        """The verdict in words."""
        return f"{self.verdict} {'against' if self.verdict == 'INCONCLUSIVE' else 'than'} {self.allowed:g}"


class File(Spec):
    """One exported file: what was measured of it in its own runtime."""

    target: str
    file: str
    bytes: int
    parity: Parity
    images: int
    error: float
    drop: Drop
    latency: Latency
    int8_share: float | None = None
    test_error: float | None = None


class Refused(Spec):
    """A file that was not made, or made and not kept."""

    target: str
    reason: str


class TorchNetwork(Spec):
    """The trained network itself, in torch on one thread."""

    parameters: int
    bytes: int
    error: float
    latency: Latency
    test_error: float | None = None


class Verification(Spec):
    """`verification.json`."""

    format: Literal[1] = 1
    model: str
    weights: str
    run_id: str | None
    data: str
    fingerprint: str
    validation_images: int
    calibration_images: int
    environment: EnvironmentFacts
    network: TorchNetwork
    calibration: Calibration | None
    stages: tuple[Parity, ...]
    files: tuple[File, ...]
    refused: tuple[Refused, ...] = ()


def read_verification(folder: Path) -> Verification:
    """That of a bundle. Raises InputError when it is not there, or cannot be read."""
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            "An exported file is used from its bundle, which says what was verified",
            found=f"no {FILE} in {folder}",
            next_step="keep the file in the folder that `azeotrope export` wrote, or copy that folder whole",
        )
    return from_yaml(Verification, path)


@dataclass(frozen=True)
class Evidence:
    """The images that files are verified on, as the graph takes them, and what the network says of them.

    `outputs` are those of `Deployed`; the first of them, logits or values, is compared.
    """

    kind: Kind
    pixels: UInt8[np.ndarray, "n 3 H W"]
    labels: Labels
    said: Float[Tensor, "n C"]
    max_drop: float


@torch.inference_mode()
def eager(deployed: Deployed, pixels: UInt8[np.ndarray, "n 3 H W"]) -> Float[Tensor, "n C"]:
    """What the module itself says, logits or values."""
    parts = [
        deployed(torch.from_numpy(pixels[start : start + AT_A_TIME]))[0] for start in range(0, len(pixels), AT_A_TIME)
    ]
    return torch.cat(parts)


def eager_latency(deployed: Deployed, pixels: UInt8[np.ndarray, "1 3 H W"]) -> Latency:
    """Of the module in torch, on one thread."""
    given, before = torch.from_numpy(pixels), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            return timed(lambda: deployed(given))
    finally:
        torch.set_num_threads(before)


def parity(stage: str, kind: Kind, wanted: Float[Tensor, "n C"], found: Float[Tensor, "n C"]) -> Parity:
    """Compare outputs image by image."""
    apart = (wanted.double() - found.double()).abs()
    spread = float(wanted.double().std()) or 1.0
    differ = tie = 0
    if kind.name == "single":
        other = wanted.argmax(1) != found.argmax(1)
        best = wanted.topk(2, dim=1).values
        close = (best[:, 0] - best[:, 1]) <= TIE * spread
        differ, tie = int(other.sum()), int((other & close).sum())
    elif kind.name == "multi":
        other = (wanted > 0) != (found > 0)
        close = wanted.abs() <= TIE * spread
        differ, tie = int(other.any(1).sum()), int((other & close).any(1).sum())
    return Parity(
        stage=stage,
        images=len(wanted),
        largest=float(apart.max()),
        mean=float(apart.mean()),
        spread=spread,
        answers_differ=differ,
        ties=tie,
    )


def verified(key: str, target: Target, file: Path, program: Program, evidence: Evidence) -> File:
    """Measure one file. Raises NotExported where it must not be used: it answers otherwise than the network, loses more
    than allowed, or computes nothing in 8 bits although it should.
    """
    outputs = program.answer(evidence.pixels)
    found = torch.from_numpy(np.array(outputs[0]))
    same = parity("network to file", evidence.kind, evidence.said, found)
    if not np.isfinite(same.largest):
        raise NotExported(f"{file.name} must answer numbers", found="values that are not finite")
    if not target.INT8 and same.largest > TOLERANCE * same.spread:
        raise NotExported(
            f"{file.name} must answer what the network answers",
            found=f"outputs up to {same.largest:.2g} apart on {same.images} validation images",
            allowed=f"{TOLERANCE * same.spread:.2g}",
            next_step="take another target, and report this with the name of the student",
        )
    share = program.int8_share()
    if target.INT8 and not share:
        raise NotExported(
            f"{file.name} must compute in 8 bits",
            found="not one convolution or matrix product in its runtime does",
            next_step="take the float file",
        )
    lost = drop(evidence.kind, evidence.said, found, evidence.labels)
    if lost.value > evidence.max_drop:
        raise NotExported(
            f"{file.name} loses more accuracy than is allowed",
            found=f"an error {lost.value:+.4f} ({100 * lost.level:.0f} %: {lost.low:+.4f} to {lost.high:+.4f}) above "
            f"the network's on {same.images} validation images",
            allowed=f"{evidence.max_drop:g} (--max-drop)",
            next_step="take the float file, more --calibration-images, a student without depthwise convolutions or "
            "attention, or allow more with --max-drop",
        )
    targets = evidence.kind.targets(evidence.labels, UNSCALED)
    return File(
        target=key,
        file=file.name,
        bytes=sum(file.with_name(name).stat().st_size for name in target.FILES),
        parity=same,
        images=same.images,
        error=evidence.kind.error(found, targets),
        drop=Drop(
            value=lost.value,
            low=lost.low,
            high=lost.high,
            level=lost.level,
            allowed=evidence.max_drop,
            verdict=verdict(lost, evidence.max_drop),
        ),
        latency=program.latency(evidence.pixels[:1]),
        int8_share=share,
    )
