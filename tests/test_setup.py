"""The shell side: an environment that cannot be made says why, and one that is there is left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKE = ROOT / ".ci" / "venv"
pytestmark = pytest.mark.skipif(sys.platform == "win32" or not MAKE.exists(), reason="needs the repository and a shell")


def make(venv, **environment):
    return subprocess.run(
        [MAKE, venv, "demo"], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def tool(path, says):
    """A program that answers this, whatever it is asked."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '%b\\n' '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_python_that_is_too_old_is_named_with_what_to_install(tmp_path):
    old = tool(tmp_path / "bin" / "python3", "3.10.13")
    done = make(tmp_path / "venv", PYTHON=str(old))
    assert (done.returncode, done.stdout) == (1, "")
    said, found, following = done.stderr.splitlines()
    assert said == "error: azeotrope needs Python 3.11 or newer."
    assert found == f"found: {old} is 3.10.13."
    assert following.startswith("next: Debian 12 and later, Ubuntu 24.04 and later: apt install python3 python3-venv;")
    assert following.endswith("or name one: make demo PYTHON=/path/to/python3.13")
    assert not (tmp_path / "venv").exists()


def test_a_python_that_does_not_run_is_named(tmp_path):
    done = make(tmp_path / "venv", PYTHON="false")
    assert (done.returncode, done.stderr.splitlines()[1]) == (1, "found: false.")


def test_a_disk_without_room_is_said_before_anything_is_fetched(tmp_path):
    python = tool(tmp_path / "bin" / "python", "3.13.1")
    tool(tmp_path / "bin" / "df", "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 9 9 819200 99% /")
    tool(tmp_path / "bin" / "uname", "Linux")
    tool(tmp_path / "bin" / "timeout", "").write_text("#!/bin/sh\nexit 1\n")  # torch's own index does not answer
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = make(tmp_path / "venv", PYTHON=str(python), PATH=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: There is no room for the environment {tmp_path / 'venv'}.\n"
        "found: 800 MB free where it would be, about 6000 MB are needed.\n"
        "next: free some space, or put it elsewhere: make demo VENV=/other/disk/venv\n"
    )
    assert not (tmp_path / "venv").exists()


def test_a_finished_environment_is_not_touched(tmp_path):
    (tmp_path / ".azeotrope-demo").write_bytes((ROOT / "pyproject.toml").read_bytes())
    done = make(tmp_path, PYTHON="false")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [".azeotrope-demo"]


def test_other_dependencies_make_a_finished_environment_stale(tmp_path):
    (tmp_path / ".azeotrope-demo").write_text("[project]\n")
    assert make(tmp_path, PYTHON="false").returncode == 1
