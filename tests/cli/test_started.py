"""The ways in: the module, -h, completion, --debug among the options."""

import os
import subprocess
import sys

import pytest

from azeotrope import __version__
from azeotrope.lookup import members


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "azeotrope", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, __version__ + "\n", "")


@pytest.mark.parametrize("name", ["", *members("cli")])
def test_h_is_help_and_names_debug(cli, name):
    short, whole = cli(*name.split(), "-h"), cli(*name.split(), "--help")
    assert (short.status, short.out) == (0, whole.out)
    assert "--debug" in short.out


def test_the_shell_completes_commands():
    asked = {"_AZEOTROPE_COMPLETE": "complete_bash", "COMP_WORDS": "azeotrope com", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "azeotrope"], capture_output=True, text=True, check=False, env={**os.environ, **asked}
    )
    assert done.stdout.split() == ["compare"]
