"""`import azeotrope` offers every public name, loads none before it is used, and shows its types to a type checker."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import azeotrope

TOP = Path(azeotrope.__file__)
SCRIPT = """\
import azeotrope
from azeotrope import LabelSpec, Needs, TeacherSpec

azeotrope.compare("photos/", studnet="resnet10t", teacher=None, out="result")
azeotrope.compare("photos/", student="resnet10t", teacher=None, out="result").winer
azeotrope.fit("runs.csv", at="1000")
azeotrope.advise("result", Needs(imgaes=1000))
azeotrope.predict("result", 3)
TeacherSpec(model="resnet50", folds="five")
LabelSpec(kind="text")
"""
RIGHT = """\
import azeotrope
from azeotrope import Needs, TeacherSpec

teacher = TeacherSpec(model="tf_efficientnet_lite0", image_size=128)
found = azeotrope.compare("photos/", student="resnet10t", teacher=teacher, out="result")
winner: str | None = found.winner
advice = azeotrope.advise("result", Needs(images=1000))
print(winner, advice.recommendation.sentence)
"""
# The libraries below are not read: a person's type checker reads them once and keeps what it found.
SETTINGS = """\
[mypy]
follow_imports = skip
[mypy-azeotrope,azeotrope.*,pydantic.*]
follow_imports = silent
"""


def shown_to_type_checkers():
    """The imports under TYPE_CHECKING: name to module."""
    block = next(node for node in ast.parse(TOP.read_text()).body if isinstance(node, ast.If))
    return {alias.asname: node.module for node in block.body for alias in node.names}


def test_what_type_checkers_see_is_what_is_loaded():
    assert shown_to_type_checkers() == {name: f"azeotrope.{home}" for name, home in azeotrope._HOMES.items()}


@pytest.mark.parametrize("name", [name for name in azeotrope.__all__ if name != "__version__"])
def test_every_name_is_there(name):
    assert getattr(azeotrope, name).__name__ == name
    assert name in dir(azeotrope)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'azeotrope' has no attribute 'wobble'"):
        azeotrope.wobble  # noqa: B018 (read, to see it fail)


def test_importing_loads_neither_torch_nor_polars():
    code = "import sys, azeotrope\nazeotrope.LabelSpec\nprint(*{'torch', 'polars'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_mypy_sees_wrong_arguments_and_passes_right_ones(tmp_path):
    """One run for both scripts: reading our own files takes mypy seconds."""
    (tmp_path / "wrong.py").write_text(SCRIPT)
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "mypy.ini").write_text(SETTINGS)
    told = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "wrong.py", "right.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"MYPYPATH": str(TOP.parents[1]), "PATH": ""},
    ).stdout
    errors = {line.split(":")[1] for line in told.splitlines() if ": error: " in line}
    assert errors == {"4", "5", "6", "7", "8", "9", "10"}, told
    assert "right.py" not in told
    assert 'Unexpected keyword argument "imgaes" for "Needs"; did you mean "images"?' in told
    assert '"Comparison" has no attribute "winer"; maybe "winner"?' in told
