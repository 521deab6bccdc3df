"""The contract of an export target: one file in `targets/`, whose name is its key.

Each exposes `FILES` (their names in the bundle, the one that is opened first), `INT8`, `convert(conversion, file)` and
`open_program(file, outputs)`; one that runs in an environment of its own also `BACKEND` (`environment`), and
one whose files no runtime of this system opens `RUN_HERE = False`.
"""

from __future__ import annotations

import shutil
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from jaxtyping import Float, UInt
from torch.export import Dim, ExportedProgram

from azeotrope.errors import InputError, NotExported, first_line
from azeotrope.exporting.deployed import INPUT, Deployed
from azeotrope.exporting.environment import Backend
from azeotrope.lookup import as_typed, member, members, unknown
from azeotrope.record.storage.store import disk_full
from azeotrope.record.storage.verification import Latency

FAMILY = "exporting.targets"
WARM_UP = 10  # runs not counted
TIMED = (30, 1.0)  # at least so many runs, and so many seconds
AT_A_TIME = 64  # images in a batch of verification
CALIBRATION_IMAGES = 256  # training images that set the ranges of int8, or all, where a person does not say
TRACED_WITH = 2  # images: with one, torch takes the batch for a constant


class NotRunHere(NotExported):
    """The file was converted, and no runtime on this system opens it: nothing is known of its answers."""


class Program(ABC):
    """An exported file, opened in its own runtime, which it keeps open from the first answer on."""

    @abstractmethod
    def answer(self, pixels: UInt[np.ndarray, "n bands H W"]) -> tuple[Float[np.ndarray, "n C"], ...]:
        """The outputs, in the order of `Deployed.outputs`."""

    @abstractmethod
    def latency(self, pixels: UInt[np.ndarray, "1 bands H W"]) -> Latency:
        """Measured here, one thread, one image."""

    def int8_share(self) -> float | None:
        """Share of convolutions and matrix products that the runtime computes in 8 bits; None for a float file."""
        return None


@dataclass(frozen=True)
class Conversion:
    """What a target converts: the module, its input size and channels, training images for int8, and a folder for work
    in progress.

    `calibration` are pixels as the graph takes them. Files that one target makes of another's are made once.
    """

    deployed: Deployed
    size: int
    calibration: UInt[np.ndarray, "n bands H W"]
    work: Path
    channels: int = 3
    _refused: dict[str, NotExported] = field(default_factory=dict)

    @cached_property
    def exported(self) -> ExportedProgram:
        """The graph with a free batch. Raises NotExported for a network that torch cannot trace."""
        example = torch.zeros(TRACED_WITH, self.channels, self.size, self.size)
        try:
            return torch.export.export(
                self.deployed, (example,), dynamic_shapes={INPUT: {0: Dim("batch", min=1)}}, strict=False
            )
        except Exception as error:  # torch.export raises errors of many kinds, also those of the network's own code
            raise NotExported(
                "The network cannot be written as a fixed graph",
                found=first_line(error),
                allowed="a forward whose path does not depend on the values of the pixels, for any number of images",
                next_step="change its forward, or keep model.safetensors, which `azeotrope predict` uses",
            ) from error

    def file_of(self, key: str) -> Path:
        """The file of another target, converted at most once. Raises NotExported, each time where it did once."""
        target = target_named(key)
        path = self.work / target.FILES[0]
        if key in self._refused:
            raise self._refused[key]
        if not path.exists():
            try:
                target.convert(self, path)
            except NotExported as error:
                remove(target, self.work)  # what is half written
                self._refused[key] = error
                raise
        return path


class Target(Protocol):
    """What a file of `targets/` exposes."""

    FILES: tuple[str, ...]
    INT8: bool

    def convert(self, conversion: Conversion, file: Path) -> None:
        """Write `file`, and the others beside it. Raises NotExported where this network cannot be had in this form."""

    def open_program(self, file: Path, outputs: Sequence[str]) -> Program:
        """A program that answers as the file does; `outputs` are the names of its results, in order.

        Raises NotRunHere where this system has no runtime for it.
        """


def target_keys() -> list[str]:
    """All targets, as they are typed."""
    return [as_typed(name) for name in members(FAMILY)]


def target_named(key: str) -> Target:
    """The target of that name. Raises InputError with the nearest names, and MissingDependency without its packages."""
    if key not in target_keys():
        raise unknown("export target", key, target_keys())
    return cast("Target", member(FAMILY, key, "export target"))


def remove(target: Target, folder: Path) -> None:
    """What of a target's files is in the folder."""
    for first in {folder / Path(name).parts[0] for name in target.FILES}:
        if first.is_dir():
            shutil.rmtree(first)
        else:
            first.unlink(missing_ok=True)


@contextmanager
def converting(rule: str, instead: str) -> Iterator[None]:
    """What a converter raises, in errors of many kinds, becomes NotExported with its first line; a full disk stays."""
    try:
        yield
    except Exception as error:
        if disk_full(error):
            raise
        raise NotExported(rule, found=first_line(error), next_step=f"take {instead}") from error


def timed(run: Callable[[], object]) -> Latency:
    """Time `run`, which must be set to one thread already."""
    for _ in range(WARM_UP):
        run()
    seconds, began = list[float](), time.perf_counter()
    while len(seconds) < TIMED[0] or time.perf_counter() - began < TIMED[1]:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    low, *_, high = statistics.quantiles(seconds, n=10)
    median = statistics.median(seconds)
    return Latency(median_ms=1e3 * median, p10_ms=1e3 * low, p90_ms=1e3 * high, runs=len(seconds))


def parsed(targets: str | Sequence[str]) -> tuple[str, ...]:
    """As `named`, of targets that can be made and measured now. Raises MissingDependency for one without its
    environment, InputError for one that is not run here.
    """
    keys = named(targets)
    for key in keys:
        if not getattr(target_named(key), "RUN_HERE", True):
            raise InputError(
                "Only files that a runtime of this system opens are measured",
                found=key,
                next_step=f"`azeotrope export MODEL --to {key}` converts a model",
            )
    for backend in backends_of(keys):
        backend.python()
    return keys


def backends_of(keys: Iterable[str]) -> list[Backend]:
    """Those of targets that run in an environment of their own, each once."""
    found = (getattr(target_named(key), "BACKEND", None) for key in keys)
    return list(dict.fromkeys(backend for backend in found if backend is not None))


def named(targets: str | Sequence[str]) -> tuple[str, ...]:
    """`onnx,onnx-int8` as keys, each once. Raises InputError for a name that is not known, and for none."""
    names = targets.split(",") if isinstance(targets, str) else targets
    keys = tuple(dict.fromkeys(as_typed(name) for name in names if name.strip()))
    if not keys:
        raise InputError("At least one target is needed", allowed=", ".join(target_keys()))
    for key in keys:
        target_named(key)
    return keys
