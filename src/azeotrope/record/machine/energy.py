"""Energy that this machine has used, where it can be read: RAPL of the processor packages, NVML of the NVIDIA GPU.

Counters of the whole machine, whoever used it; read when a phase begins and ends, never within. Where they cannot be
read (no such counters, or not for this user; several runs at a time, whose parts nobody can tell) nothing is recorded.
Linux gives RAPL through /sys/class/powercap; NVML comes with the package nvidia-ml-py and Volta or later.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
NVIDIA = Path("/proc/driver/nvidia/version")  # there where the driver of an NVIDIA GPU is
MICROJOULES, MILLIJOULES = 1e-6, 1e-3


@dataclass
class Counter:
    """One counter: its reading in its own unit, what that is in joules, and where it starts again from 0 (None: never).

    `joules` adds up what passed since the first reading; a counter that went round twice between two readings (at 100 W
    after more than an hour and a half) is read as once.
    """

    read: Callable[[], int]
    unit: float
    wraps_at: int | None = None
    _last: int | None = field(default=None, init=False)
    _units: int = field(default=0, init=False)

    def joules(self) -> float:
        """Since the first reading. Raises OSError when it cannot be read."""
        now = self.read()
        passed = 0 if self._last is None else now - self._last
        if passed < 0:
            passed += self.wraps_at or -passed
        self._last, self._units = now, self._units + passed
        return self._units * self.unit


@dataclass
class Meter:
    """All counters together; `source` names them, and is "" where there is none."""

    counters: list[Counter]
    source: str = ""

    def joules(self) -> float | None:
        """Used since the first reading; None where nothing can be read, and from then on."""
        if not self.counters:
            return None
        try:
            return sum(counter.joules() for counter in self.counters)
        except Exception:  # a counter that was taken away, in whatever way its library says so
            self.counters, self.source = [], ""
            return None

    def since(self, before: float | None) -> float | None:
        """Used since a reading; None where either cannot be had."""
        now = self.joules()
        return None if before is None or now is None else now - before


def open_meter(powercap: Path = POWERCAP, driver: Path = NVIDIA) -> Meter:
    """What can be read here. A machine with an NVIDIA GPU that cannot be read has no meter: the rest would mislead."""
    packages, gpu = _packages(powercap), _gpu() if driver.exists() else None
    if driver.exists() and gpu is None:
        return Meter([])
    counters = [*packages, *([gpu] if gpu else [])]
    names = [f"RAPL of {len(packages)} package" + ("s" if len(packages) > 1 else "")] if packages else []
    return Meter(counters, " + ".join([*names, *(["NVML of the GPU"] if gpu else [])]))


def _packages(powercap: Path) -> list[Counter]:
    """Processor packages: the zones intel-rapl:0, intel-rapl:1 (also of AMD); their parts are in them already."""
    found = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        energy, most = zone / "energy_uj", zone / "max_energy_range_uj"
        if zone.name.count(":") == 1:
            with suppress(OSError, ValueError):  # since 2020 only root may read them on most systems
                _number(energy)
                found.append(Counter(partial(_number, energy), MICROJOULES, _number(most) + 1))
    return found


def _number(path: Path) -> int:
    return int(path.read_text(encoding="utf-8"))


def _gpu() -> Counter | None:
    """The first GPU that this process sees; None without the package, or where the GPU has no such counter."""
    try:
        nvml: Any = importlib.import_module("pynvml")
        nvml.nvmlInit()
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
        by_number = first.isdecimal()
        handle = nvml.nvmlDeviceGetHandleByIndex(int(first)) if by_number else nvml.nvmlDeviceGetHandleByUUID(first)
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except Exception:  # no package, no GPU, no counter, no right: each says so in its own way
        return None
    return Counter(lambda: int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)), MILLIJOULES)


_NONE = Meter([])
_here: Meter | None = None


def here() -> Meter:
    """The meter of this process, opened at its first use."""
    global _here
    if _here is None:
        _here = open_meter()
    return _here


def share() -> None:
    """Read none from now on: the process makes runs beside others, and nobody can tell whose energy it is."""
    global _here
    _here = _NONE
