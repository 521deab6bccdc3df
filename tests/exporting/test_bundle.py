"""What class names may hold, in texts that programs and people read."""

import json
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import azeotrope
from azeotrope.api.predict import Prediction
from azeotrope.cli import predict
from azeotrope.errors import NotExported, StoreError
from azeotrope.exporting.bundle import Sample, beside, sealed, write_texts
from azeotrope.exporting.page import page
from azeotrope.exporting.preparation import Preparation, Resize, read_preparation
from azeotrope.record.kinds import one_line

NAMES = ("zero\nline", "<b>one</b></script>", "two, 2", "été 🐈", " spaced\t out ")


def preparation():
    return Preparation(
        size=2,
        steps=(Resize(size=2, filter="bicubic"),),
        value_range=None,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        kind="single",
        outputs=("logits", "probabilities"),
        classes=NAMES,
        unit=None,
        temperature=1.0,
    )


@pytest.fixture
def texts(tmp_path, exported):
    """The texts of a bundle whose classes have such names."""
    sample = Sample("a.png", b"png", np.zeros((3, 2, 2), np.uint8), NAMES[1], {"model.onnx": {"logits": [0.0] * 5}})
    write_texts(tmp_path, exported.verification, preparation(), [sample])
    return tmp_path


def test_labels_are_one_a_line_and_exact_in_json(texts):
    lines = (texts / "labels.txt").read_text(encoding="utf-8").split("\n")
    assert lines == ["zero line", "<b>one</b></script>", "two, 2", "été 🐈", "spaced out", ""]
    assert read_preparation(texts).classes == NAMES


def test_the_page_cannot_be_broken_out_of(texts, tmp_path):
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name in ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"):
        (runtime / name).write_bytes(b"x")
    (tmp_path / "model.onnx").write_bytes(b"{{ wasm }}")
    sample = Sample("a.png", b"png", np.zeros((3, 2, 2), np.uint8), NAMES[1], {"model.onnx": {"logits": [0.0]}})
    text = page(runtime, tmp_path / "model.onnx", preparation(), "</title><script>alert(1)</script>", [sample])
    assert text.count("</script>") == 5  # the page's own
    settings = text.split('id="settings">')[1].split("</script>")[0]
    assert json.loads(settings)["how"]["classes"] == list(NAMES)
    assert "{{" not in text


def test_one_line_of_a_name_that_shows_nothing():
    assert one_line("\n\t") == ""


def test_an_answer_is_one_line_whatever_the_class_is_called(exported, capsys):
    named = ("cat\ndog", "red\x1b[31m")
    predict._show([Prediction("p.png", named, (0.75, 0.25))])
    assert capsys.readouterr().out == "p.png: cat dog 75.0 %, red [31m 25.0 %\n"
    said = runpy.run_path(str(exported.folder / "run.py"))["said"]
    outputs = {"probabilities": np.array([[0.75, 0.25]])}
    assert said(outputs, {"kind": "single", "classes": named}, 2, 0.5) == "cat dog 75.0 %, red [31m 25.0 %"


def test_a_bundle_takes_its_place_at_once(tmp_path):
    place = tmp_path / "export"
    for content in ("first", "second"):
        with beside(place) as work:
            made = work / "export"
            made.mkdir()
            (made / "model").write_text(content)
            assert not place.exists() or (place / "model").read_text() == "first"
            sealed(made, place)
    assert (place / "model").read_text() == "second"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export"]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"), beside(tmp_path / "file" / "export"):
        SimpleNamespace()


def test_a_disk_that_is_full_while_a_file_is_converted_is_told_as_such(model, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.onnx.export", lambda *_, **__: Path("/dev/full").write_bytes(b"graph"))
    with pytest.raises(StoreError, match=r"The disk is full while writing .*/x\. Found: No space left on device"):
        azeotrope.export(model, to="onnx", out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_refused_does_not_take_its_older_file_away(exported, model, tmp_path, monkeypatch):
    place = tmp_path / "bundle"
    shutil.copytree(exported.folder, place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}

    def refuse(*_):
        raise NotExported("Too few images")

    monkeypatch.setattr("azeotrope.exporting.targets.onnx_int8.convert", refuse)
    with pytest.raises(NotExported, match=r"stays as it was.*Found: onnx-int8: Too few images\. Next: .*--out"):
        azeotrope.export(model, to="onnx,onnx-int8,pt2", out=place, max_drop=0.05)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    assert list(tmp_path.iterdir()) == [place]
