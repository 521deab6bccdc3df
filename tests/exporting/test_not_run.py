"""A file that no runtime of this system opens is kept and said to be not run, everywhere."""

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import azeotrope
from azeotrope.errors import InputError, StoreError
from azeotrope.exporting.environment import Backend
from azeotrope.exporting.target import parsed
from azeotrope.exporting.targets import coreml
from azeotrope.models.card import escape


@pytest.fixture(autouse=True)
def _core_ml_converts(monkeypatch):
    """The contract suite converts with coremltools; here its files hold ten bytes each."""

    def convert(conversion, file):
        for name in coreml.FILES:
            path = file.parents[1] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(10))

    monkeypatch.setattr(coreml, "convert", convert)
    monkeypatch.setattr(Backend, "python", lambda backend: Path(sys.executable))
    monkeypatch.setattr(Backend, "packages", ["numpy"])


def test_it_is_in_the_bundle_and_nothing_is_claimed_of_it(model, tmp_path):
    made = azeotrope.export(model, to="coreml,pt2", out=tmp_path / "x")
    (each,) = made.verification.not_run
    assert (each.target, each.file, each.bytes) == ("coreml", "model.mlpackage", 30)
    assert [file.target for file in made.verification.files] == ["pt2"]
    assert made.verification.refused == ()
    assert all((made.folder / name).is_file() for name in coreml.FILES)
    card = (made.folder / "card.md").read_text()
    assert "- **not run here**: `model.mlpackage` (0.00 MB). It was converted; whether it answers what" in card
    assert f"- coreml in an environment of its own: numpy {escape(version('numpy'))}\n" in card
    assert "| `model.mlpackage` |" not in card  # no row of measurements
    with pytest.raises(InputError, match=r"model\.mlpackage is not among the verified files.*model\.pt2"):
        azeotrope.predict(made.folder / "model.mlpackage", made.folder / "samples" / "0.png")
    with pytest.raises(InputError, match=r"no model\.yaml"):
        azeotrope.predict(made.folder / "model.gone", made.folder / "samples" / "0.png")
    with pytest.raises(StoreError, match="coreml, which this export would not make"):
        azeotrope.export(model, to="pt2", out=made.folder)


def test_what_measures_arms_refuses_it():
    with pytest.raises(InputError, match=r"Only files that a runtime of this system opens.*coreml.*--to coreml"):
        parsed("onnx,coreml")


def test_alone_it_comes_with_the_network_s_own_answers(model, tmp_path):
    """The truth is what the saved model says of the sample's picture."""
    made = azeotrope.export(model, to="coreml", out=tmp_path / "x")
    card = (made.folder / "card.md").read_text()
    assert "No file was run here." in card
    assert "run.py" not in card
    (sample, *_) = json.loads((made.folder / "samples" / "expected.json").read_text())["pictures"]
    assert list(sample["outputs"]) == ["network"]
    logits, probabilities = (np.array(sample["outputs"]["network"][name]) for name in ("logits", "probabilities"))
    (said,) = azeotrope.predict(model, made.folder / "samples" / sample["picture"], top=1)
    assert str(logits.argmax()) == said.classes[0]
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_the_report_says_so(model, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(model.parents[1], out)
    azeotrope.export(out / "models" / model.name, to="coreml")
    html = azeotrope.report(out).read_text()
    assert "Converted and not run here: <code>model.mlpackage</code>" in html
    assert "Nothing is known of its answers." in html


def test_one_that_is_refused_leaves_no_folder(model, tmp_path, monkeypatch):
    from azeotrope.errors import NotExported

    def refuse(file, outputs):
        raise NotExported("no")

    monkeypatch.setattr(coreml, "open_program", refuse)
    made = azeotrope.export(model, to="coreml,pt2", out=tmp_path / "x")
    assert not (made.folder / "model.mlpackage").exists()
    assert [each.target for each in made.verification.refused] == ["coreml"]
