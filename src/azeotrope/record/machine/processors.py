"""How many processors this process may use: not those of the machine, where a container or a scheduler gives fewer.

More threads than that take turns on the same cores, and each step waits for the slowest.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_ROOT = Path("/")


def processors(root: Path = _ROOT) -> int:
    """Processors that the system and its quotas (Linux cgroups, both versions) grant; a share of one counts as one.

    `root` is where `proc` and `sys` are.
    """
    return max(1, min([_granted(), *(math.ceil(quota) for quota in _quotas(root))]))


def _granted() -> int:
    """By affinity; Python 3.13 also lets a person say so (PYTHON_CPU_COUNT)."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Processors allowed by each control group around this process.

    Inside a container `/proc/self/cgroup` may name a path of the host, of which only the mount's own top is seen; each
    level of the path that is there counts, and the top too.
    """
    mount = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from (quota for level in _levels(mount, path) if (quota := _version_2(level)) is not None)
        elif "cpu" in controllers.split(","):
            tops = [mount / controllers, mount / "cpu"]
            levels = (level for top in tops for level in _levels(top, path))
            yield from (quota for level in levels if (quota := _version_1(level)) is not None)


def _levels(top: Path, path: str) -> list[Path]:
    own = PurePosixPath(path.lstrip("/"))
    return [top / level for level in (own, *own.parents) if ".." not in level.parts]


def _version_2(group: Path) -> float | None:
    """`cpu.max` says "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
    words = _text(group / "cpu.max").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0].isdecimal() else None


def _version_1(group: Path) -> float | None:
    """A quota of -1 is none."""
    quota, period = _text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
