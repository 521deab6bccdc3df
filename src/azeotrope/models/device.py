"""Where training runs and in which precision; repeatability and memory of that place."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch import nn

from azeotrope.models.depthwise import FastDepthwise
from azeotrope.record.processors import processors

Precision = Literal["fp32", "bf16"]
Module = TypeVar("Module", bound=nn.Module)
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_ALLOCATOR = ("MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")  # as mallopt(3) names them
_TUNABLES = "GLIBC_TUNABLES"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Device:
    """A torch device name and the precision of matrix work there."""

    name: str
    precision: Precision

    def place(self, module: Module) -> Module:
        """Move a module there, in the memory layout that convolutions like; returns it."""
        return module.to(device=self.name).to(memory_format=torch.channels_last)

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Run matrix work in bfloat16 when the precision says so.

        Weights are cast at each use. Autocast could remember them, but for all threads together: one that closes its
        autocast makes another forget, and a weight used twice then sums its gradients in another precision.
        """
        kind, lower = self.name.split(":")[0], self.precision == "bf16"
        gradients = FastDepthwise() if lower and kind == "cpu" else nullcontext()
        with torch.autocast(kind, torch.bfloat16, enabled=lower, cache_enabled=False), gradients:
            yield


def choose(precision: Precision | Literal["auto"] = "auto") -> Device:
    """CUDA when there is one, else the CPU; bf16 where the hardware multiplies it natively.

    Measured on AVX-512 without AMX: in bf16 students train 1.1 to 1.5 times and EfficientNet-Lite0 embeds 1.5 times as
    fast (docs/log.md).
    """
    name = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "auto":
        native = torch.cuda.is_bf16_supported(including_emulation=False) if name == "cuda" else _cpu_has_bf16()
        precision = "bf16" if native else "fp32"
    return Device(name, precision)


def prepare() -> None:
    """What a process does once before it trains: results that repeat, memory that stays, no more threads than
    processors.
    """
    make_repeatable()
    keep_freed_memory()
    limit_threads()


def limit_threads() -> None:
    """Torch takes a thread for each of the machine's cores, also in a container that may use two of them.

    A number that the user has set (OMP_NUM_THREADS, MKL_NUM_THREADS) stays.
    """
    if not any(name in os.environ for name in _THREADS) and torch.get_num_threads() > (granted := processors()):
        torch.set_num_threads(granted)


def make_repeatable() -> None:
    """Ask for the same result from the same seed: bit-equal on one machine with one number of threads.

    Torch would also overwrite all memory that it allocates, lest something reads it before writing it; nothing here
    does, and that took 11 to 14 % of a step (docs/log.md).
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False


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
    """Hand back what was kept: after a piece of work, when nobody knows whether another follows."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Where memory comes from, unless it is another library or its user has set it."""
    set_by_user = any(name in os.environ for name in _ALLOCATOR) or "glibc.malloc" in os.environ.get(_TUNABLES, "")
    return None if set_by_user or platform.libc_ver()[0] != "glibc" else ctypes.CDLL(None)


def synchronise(device: Device) -> None:
    """Wait until the device has done what it was given, so that a clock read next is right."""
    if device.name.startswith("cuda"):
        torch.cuda.synchronize()


def reset_peak_memory(device: Device) -> None:
    """Start a new measurement of peak memory, where the system allows it (CUDA, Linux).

    What `keep_freed_memory` kept of earlier work goes back first.
    """
    give_back_freed_memory()
    if device.name.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    elif (reset := Path("/proc/self/clear_refs")).exists():
        try:
            reset.write_text("5", encoding="utf-8")
        except OSError:  # some containers forbid it: the peak is then that of the process
            return


def peak_memory_mb(device: Device) -> float:
    """Peak memory since the reset, in MB: of the GPU, or of this process."""
    if device.name.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 1e6
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


def _cpu_has_bf16() -> bool:
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and any(flag in cpuinfo.read_text(encoding="utf-8") for flag in ("amx_bf16", "avx512_bf16"))
