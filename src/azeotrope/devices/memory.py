"""Memory of the process and of the device: kept while work follows work, handed back after, and measured."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from pathlib import Path

import torch

from azeotrope.devices.device import Device

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_ALLOCATOR = ("MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")  # as mallopt(3) names them
_TUNABLES = "GLIBC_TUNABLES"


def keep_freed_memory() -> None:
    """Let glibc keep what torch frees for the next step, for as long as the process lives.

    It would hand back what is large, and the system then clears every page again at its first use, step after step
    (docs/log.md). The peak rises a little. Other C libraries are left alone, and so is a process whose user set glibc's
    allocator.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_MMAP_MAX, 0)  # nothing by mmap, which is given back block by block
        libc.mallopt(_M_TRIM_THRESHOLD, -1)  # nor from the end of the heap, whatever lies free there


def give_back_freed_memory() -> None:
    """Hand back what was kept, also on a card: after a piece of work, when nobody knows whether another follows."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()


def _glibc() -> ctypes.CDLL | None:
    """Where memory comes from, unless it is another library or its user has set it."""
    set_by_user = any(name in os.environ for name in _ALLOCATOR) or "glibc.malloc" in os.environ.get(_TUNABLES, "")
    return None if set_by_user or platform.libc_ver()[0] != "glibc" else ctypes.CDLL(None)


def reset_peak_memory(device: Device) -> None:
    """Start a new measurement of peak memory, where the system allows it (CUDA, Linux).

    What `keep_freed_memory` kept of earlier work goes back first.
    """
    give_back_freed_memory()
    if device.kind == "cuda":
        torch.cuda.reset_peak_memory_stats(device.name)
    elif (reset := Path("/proc/self/clear_refs")).exists():
        try:
            reset.write_text("5", encoding="utf-8")
        except OSError:  # some containers forbid it: the peak is then that of the process
            return


def peak_memory_mb(device: Device) -> float:
    """Peak memory since the reset, in MB: of the GPU, or of this process."""
    if device.kind == "cuda":
        return torch.cuda.max_memory_allocated(device.name) / 1e6
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    return _peak_on_windows_mb() if sys.platform == "win32" else _peak_by_usage_mb()


def _peak_by_usage_mb() -> float:
    """Of the process since its start, where there is no /proc."""
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _peak_on_windows_mb() -> float:
    """Of the process since its start, as Windows counts it."""
    import psutil  # a dependency there alone

    return float(psutil.Process().memory_info().peak_wset) / 1e6
