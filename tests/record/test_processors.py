"""Quotas as the kernel writes them: Documentation/admin-guide/cgroup-v2.rst (`cpu.max`), and cpu.cfs_* of version 1."""

import os

import pytest

from azeotrope.record.machine import processors as module
from azeotrope.record.machine.processors import processors


@pytest.fixture(autouse=True)
def large_machine(monkeypatch):
    """64 processors by affinity."""
    monkeypatch.setattr(module, "_granted", lambda: 64)


def tree(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),  # no control groups: macOS, Windows
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 64),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),  # half a processor
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3),  # two and a half
        (  # the smallest of all groups around a process counts
            {
                "proc/self/cgroup": "0::/system.slice/job.scope\n",
                "sys/fs/cgroup/system.slice/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/system.slice/job.scope/cpu.max": "max 100000\n",
            },
            3,
        ),
        (  # version 1, the host's path, of which a container sees the top alone
            {
                "proc/self/cgroup": "4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "400000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            64,
        ),
        ({"proc/self/cgroup": "0::/../../other\n", "sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1),
    ],
)
def test_a_quota_is_honoured(tmp_path, files, expected):
    assert processors(tree(tmp_path, files)) == expected


def test_a_quota_above_what_affinity_grants_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_granted", lambda: 2)
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "800000 100000\n"}
    assert processors(tree(tmp_path, files)) == 2


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not restrict processors")
def test_affinity_is_honoured_before_python_3_13(monkeypatch):
    monkeypatch.undo()
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})
    assert module._granted() == 3
