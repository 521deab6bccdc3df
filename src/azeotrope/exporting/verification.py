"""Holds each file against the trained network on real images: the same answers, the accuracy, the time.

Random pixels prove nothing: published exporters passed on noise and were wrong on photographs. So every image here is
one of the task's validation images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt
from torch import Tensor

from azeotrope.errors import NotExported
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.drop import drop, verdict
from azeotrope.exporting.target import AT_A_TIME, Program, Target, timed
from azeotrope.kinds._kind import UNSCALED, Kind, Labels
from azeotrope.record.storage.verification import Drop, File, Latency, Parity

TOLERANCE = 1e-3  # of the spread of the outputs: what 32-bit floats in another order may differ by
TIE = 2e-3  # of that spread: answers closer together than this are the same answer


@dataclass(frozen=True)
class Evidence:
    """The images that files are verified on, as the graph takes them, and what the network says of them.

    `said` are the first outputs of `Deployed`, logits or values.
    """

    kind: Kind
    pixels: UInt[np.ndarray, "n bands H W"]
    labels: Labels
    said: Float[Tensor, "n C"]
    max_drop: float

    @property
    def error(self) -> float:
        """Of the network."""
        return self.kind.error(self.said, self.kind.targets(self.labels, UNSCALED))


def error_on(program: Program, images: Evidence) -> float:
    """The error of a file on other images than those that decide whether it is kept."""
    found = torch.from_numpy(np.array(program.answer(images.pixels)[0]))
    return images.kind.error(found, images.kind.targets(images.labels, UNSCALED))


@torch.inference_mode()
def eager(deployed: Deployed, pixels: UInt[np.ndarray, "n bands H W"]) -> Float[Tensor, "n C"]:
    """What the module itself says, logits or values."""
    parts = [
        deployed(torch.from_numpy(pixels[start : start + AT_A_TIME]))[0] for start in range(0, len(pixels), AT_A_TIME)
    ]
    return torch.cat(parts)


def eager_latency(deployed: Deployed, pixels: UInt[np.ndarray, "1 bands H W"]) -> Latency:
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
