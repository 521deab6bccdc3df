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


def test_a_python_that_does_not_fit_is_named_with_the_next_step(tmp_path):
    done = make(tmp_path / "venv", PYTHON="false")
    assert done.returncode == 1
    assert "needs Python 3.11 or 3.12. Found: false." in done.stderr
    assert "PYTHON=/path/to/python3.12" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_finished_environment_is_not_touched(tmp_path):
    (tmp_path / ".azeotrope-demo").write_bytes((ROOT / "pyproject.toml").read_bytes())
    done = make(tmp_path, PYTHON="false")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == [".azeotrope-demo"]


def test_other_dependencies_make_a_finished_environment_stale(tmp_path):
    (tmp_path / ".azeotrope-demo").write_text("[project]\n")
    assert make(tmp_path, PYTHON="false").returncode == 1
