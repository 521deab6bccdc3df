"""Commands given as people give them: a path with ~, from inside the data, on a set where nothing can be learnt."""

import ast
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from azeotrope.api.compare import compare as compare_function
from azeotrope.cli.__main__ import main
from azeotrope.data.auditing.audit import audit
from azeotrope.data.task import load_task

SOURCE = Path(__file__).parents[2] / "src" / "azeotrope"
QUICK = (
    "-s",
    "test_resnet",
    "--image-size",
    "32",
    "--epochs",
    "1",
    "--seeds",
    "1",
    "--arms",
    "scratch",
    "--views",
    "1",
)
QUICK = (*QUICK, "--learning-rates", "1e-3", "--train-images", "12")


def photos(root, bolt=12, nut=12):
    rng = np.random.default_rng(0)
    for name, count in (("bolt", bolt), ("nut", nut)):
        (root / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(root / name / f"{number}.png")
    return root


@pytest.fixture(autouse=True)
def _no_trial(monkeypatch):
    monkeypatch.setattr("azeotrope.session.comparisons.pretraining_cost.training_rate", lambda *_, **__: 100.0)


def test_a_tilde_that_no_shell_expanded(cli, tmp_path, monkeypatch):
    photos(tmp_path / "photos")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    done = cli("compare", "./photos", *QUICK, "--out", "~/case")
    assert done.status == 0, done.err
    assert {path.name for path in (tmp_path / "home" / "case").iterdir()} >= {
        "runs",
        "models",
        "plan.yaml",
        "report.html",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "photos"]
    use = next(line for line in done.out.splitlines() if line.startswith("Use it:")).split()[4]
    assert Path(use).is_dir()


def test_from_inside_the_folder_of_pictures_again_and_again(cli, tmp_path, monkeypatch):
    photos(tmp_path)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        done = cli("compare", ".", *QUICK)
        assert done.status == 0, done.err
    task = load_task(".")
    assert task.classes == ("bolt", "nut")
    assert audit(task.manifest, task.source).images == 24


def test_what_always_naming_the_commonest_class_scores_stands_beside_the_error(cli, tmp_path):
    photos(tmp_path / "set", bolt=57, nut=3)
    done = cli("compare", tmp_path / "set", *QUICK, "--out", tmp_path / "out")
    words = " ".join(done.out.split())
    assert "Always naming 'bolt' is wrong on 8.3 %." in words  # of 12 test images one is a nut
    assert "no better than always naming 'bolt'" in words
    assert "scratch never names 'nut' on the test images" in words
    assert "The training split holds 37 images of 'bolt' and 1 of 'nut', more than 5 to 1." in words
    assert "Always naming &#39;bolt&#39; is wrong on 8.3" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "always naming 'bolt' is wrong on 5.0 %" in cli("check", tmp_path / "nothing").out + _check(tmp_path / "set")


def _check(data):
    from rich.console import Console

    from azeotrope.cli._terminal.check import _show_audit

    task, out = load_task(str(data)), io.StringIO()
    _show_audit(audit(task.manifest, task.source), Console(file=out, width=100))
    return out.getvalue()


def test_python_takes_a_path_one_text_of_arms_and_a_list_of_seeds(tmp_path):
    recipe = {"epochs": 1, "views": 1, "learning_rates": (1e-3,)}
    asked = {"student": "test_resnet", "teacher": None, "image_size": 32, "recipe": recipe, "train_images": 12}
    found = compare_function(photos(tmp_path / "set"), out=tmp_path / "out", arms="scratch", seeds=[3, 5], **asked)
    assert [(arm.name, arm.seeds) for arm in found.arms] == [("scratch", (3, 5))]


class TestLocale:
    def test_every_file_is_opened_with_its_encoding(self):
        """In another locale text that was written in UTF-8 would be read as something else."""
        wrong = []
        for path in SOURCE.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    named = {keyword.arg for keyword in node.keywords}
                    if node.func.attr in ("read_text", "write_text") and "encoding" not in named and not node.args[1:]:
                        wrong.append(f"{path.name}:{node.lineno}")
        assert wrong == []

    def test_records_are_utf8_whatever_the_locale(self, tmp_path):
        code = """
import sys
from azeotrope.record.storage.store import RunStore
from azeotrope.record.facts import StudentFacts, TaskFacts
from azeotrope.record.run import RunRecord
task = TaskFacts(name="Schl\\u00fcssel", fingerprint="f", classes=("a",))
run = RunRecord(run_id="r", state="failed", task=task, strategy="scratch", arm="scratch", init="random", seed=0,
                student=StudentFacts(name="s", parameters=1), train_images=1)
store = RunStore(sys.argv[1])
store.put(run)
assert store.get("r") == run
"""
        options = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning:azeotrope"]
        done = subprocess.run(
            [sys.executable, *options, "-c", code, tmp_path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
    @pytest.mark.parametrize("as_json", [True, False])
    def test_a_terminal_that_cannot_show_a_name_gets_escapes(self, tmp_path, monkeypatch, encoding, as_json):
        (tmp_path / "\u732b").mkdir()
        Image.new("RGB", (9, 9)).save(tmp_path / "\u732b" / "1.png")
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
        monkeypatch.setattr("sys.stdout", streams[0])
        monkeypatch.setattr("sys.stderr", streams[1])
        with pytest.raises(SystemExit) as left:
            main(["check", str(tmp_path), "-s", "test_resnet", "--image-size", "32", *(["--json"] if as_json else [])])
        out, err = ((stream.flush(), stream.buffer.getvalue())[1] for stream in streams)
        assert left.value.code == 2
        assert b"\\u732b" in out
        assert b"should not have happened" not in err
