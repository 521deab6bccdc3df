"""Where a run was made. For the reader of a record; it does not enter `run_id`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from azeotrope.record.facts import EnvironmentFacts
from azeotrope.record.machine import energy


def environment(
    *,
    device: str,
    accelerator: str | None,
    threads: int,
    precision: str,
    cards: tuple[str, ...] = (),
    compiled: bool = False,
) -> EnvironmentFacts:
    """Versions of what computes, and the machine. `accelerator` is the card, as its maker calls it; `cards` those of
    the machine that were used.
    """
    return EnvironmentFacts(
        azeotrope=_version("azeotrope"),
        python=platform.python_version(),
        torch=_version("torch"),
        timm=_version("timm"),
        device=device,
        accelerator=accelerator,
        cards=cards,
        processor=_processor(),
        threads=threads,
        precision=precision,
        compiled=compiled,
        energy=energy.here().source or None,
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
