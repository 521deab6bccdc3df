"""The bundle of a model that was trained on real digits: what is in it, and that it answers as the model does."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import azeotrope
from azeotrope.data.decoding.decode import decode
from azeotrope.data.task import load_task
from azeotrope.errors import InputError, NotExported, StoreError
from azeotrope.models.saved import load_model
from azeotrope.session.exports.predicting import open_predictor

BLOCK = """
import runpy, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "azeotrope", "timm", "scipy"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_alone(program, *words):
    """A program of the bundle where torch and azeotrope are not installed."""
    return subprocess.run(
        [sys.executable, "-c", BLOCK, program, *words], capture_output=True, text=True, check=False, cwd="/"
    )


@pytest.fixture
def picture(exported):
    return exported.folder / "samples" / "1.png"


def test_the_bundle_is_whole(exported):
    files = {path.relative_to(exported.folder).as_posix() for path in exported.folder.rglob("*") if path.is_file()}
    samples = {f"samples/{number}.{kind}" for number in range(3) for kind in ("png", "npy")}
    assert files == samples | {
        *("model.onnx", "model.int8.onnx", "model.pt2", "labels.txt", "preprocessing.json", "verification.json"),
        *("card.md", "run.py", "SHA256SUMS", "samples/expected.json"),
    }
    for line in (exported.folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((exported.folder / name).read_bytes()).hexdigest() == digest
    assert list(exported.folder.parent.iterdir()) == [exported.folder]  # no work in progress is left


def test_every_file_answers_what_the_network_answers_on_validation_images(exported):
    said = exported.verification
    assert [file.file for file in said.files] == ["model.onnx", "model.int8.onnx", "model.pt2"]
    assert said.validation_images == len(load_task("digits").splits.val)
    for file in said.files:
        assert file.images == said.validation_images
        assert file.latency.median_ms > 0
        if file.int8_share is None:
            assert file.parity.answers_differ == file.parity.ties == 0
            assert file.parity.largest < 1e-3 * file.parity.spread
            assert file.drop.value == 0
    first, second = said.stages
    assert first.largest < 1e-6 * 255
    assert second.largest < 1e-4 * second.spread


def test_int8_is_int8_and_smaller(exported):
    float_, int8, _ = exported.verification.files
    assert int8.int8_share == 1.0
    assert int8.bytes < float_.bytes / 2
    assert abs(int8.drop.value - (int8.error - float_.error)) < 1e-9


def test_the_error_is_that_of_the_saved_model_by_itself(exported, model):
    """Truth from outside the exporter: what `predict` says of the validation images, one by one."""
    predictor, task = open_predictor(model), load_task("digits")
    rows = task.splits.val
    said = [predictor.said(decode(task.source.read(row)).pixels).argmax().item() for row in rows.tolist()]
    assert exported.verification.network.error == pytest.approx((np.array(said) != task.labels[rows]).mean())


def test_the_graph_takes_any_number_of_images_and_holds_its_weights(exported):
    proto = onnx.load(exported.folder / "model.onnx", load_external_data=False)
    assert not any(tensor.external_data for tensor in proto.graph.initializer)
    (given,) = proto.graph.input
    assert given.name == "pixel_values"
    first, *rest = given.type.tensor_type.shape.dim
    assert first.dim_param
    assert [each.dim_value for each in rest] == [3, 32, 32]
    assert [each.name for each in proto.graph.output] == ["logits", "probabilities"]


@pytest.mark.parametrize("file", ["model.onnx", "model.int8.onnx", "model.pt2"])
def test_predict_takes_an_exported_file(exported, picture, file):
    (said,) = azeotrope.predict(exported.folder / file, picture, top=10)
    expected = json.loads((exported.folder / "samples" / "expected.json").read_text())["pictures"][1]
    wanted = dict(zip(load_task("digits").classes, expected["outputs"][file]["probabilities"], strict=True))
    assert dict(zip(said.classes, said.probabilities, strict=True)) == pytest.approx(wanted, abs=1e-5)


def test_predict_of_the_saved_model_names_the_same_class(exported, model, picture):
    (file,), (saved,) = azeotrope.predict(exported.folder / "model.onnx", picture), azeotrope.predict(model, picture)
    assert file.classes[0] == saved.classes[0]


def test_run_py_needs_neither_torch_nor_azeotrope(exported, picture):
    for file in ("model.onnx", "model.int8.onnx"):
        done = run_alone(str(exported.folder / "run.py"), "--check", "--model", file, str(picture))
        assert done.returncode == 0, done.stderr
        (said,) = azeotrope.predict(exported.folder / file, picture, top=3)
        assert done.stdout.count("as verified") == 3
        words = ", ".join(f"{n} {100 * p:.1f} %" for n, p in zip(said.classes, said.probabilities, strict=True))
        assert done.stdout.splitlines()[-1] == f"{picture}: {words}"


def test_run_py_notices_pixels_and_answers_that_are_not_the_verified_ones(exported, tmp_path):

    folder = tmp_path / "copy"
    shutil.copytree(exported.folder, folder)
    np.save(folder / "samples" / "0.npy", np.load(folder / "samples" / "0.npy") ^ 1)
    done = run_alone(str(folder / "run.py"), "--check")
    assert (done.returncode, done.stderr.strip()) == (1, "0.png: prepared otherwise than when verified, by 1 levels")


def test_run_py_names_the_files_that_there_are(exported):
    done = run_alone(str(exported.folder / "run.py"), "--model", "model.onxx", "--check")
    assert done.returncode == 2
    assert done.stderr.endswith("error: there is no model.onxx here, only model.onnx, model.int8.onnx\n")


def test_the_same_export_again_replaces_the_bundle(exported, model):
    again = azeotrope.export(model, to="onnx,onnx-int8,pt2", out=exported.folder, max_drop=0.05)
    assert again.verification.weights == exported.verification.weights


def test_a_bundle_is_not_replaced_by_less_nor_when_it_was_changed(exported, model, tmp_path):
    with pytest.raises(StoreError, match=r"onnx-int8, pt2, which this export would not make.*--out"):
        azeotrope.export(model, to="onnx", out=exported.folder)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match="files that are not of an export"):
        azeotrope.export(model, to="onnx", out=tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_file_that_loses_too_much_is_not_left_behind(model, tmp_path, monkeypatch):
    """Calibrated on black pictures, every range is wrong."""
    from azeotrope.session.exports.export_images import ExportImages

    prepared = ExportImages.prepared
    monkeypatch.setattr(
        ExportImages,
        "prepared",
        lambda self, rows, how: prepared(self, rows, how) * (0 if len(rows) == 5 else 1),
    )
    with pytest.raises(NotExported, match=r"onnx-int8: model\.int8\.onnx loses more accuracy.*--max-drop.*float file"):
        azeotrope.export(model, to="onnx-int8", out=tmp_path / "none", calibration_images=5)
    assert list(tmp_path.iterdir()) == []
    both = azeotrope.export(model, to="onnx-int8,onnx", out=tmp_path / "one", calibration_images=5)
    assert [file.target for file in both.verification.files] == ["onnx"]
    assert [refused.target for refused in both.verification.refused] == ["onnx-int8"]
    assert not (both.folder / "model.int8.onnx").exists()
    assert "not here: onnx" in (both.folder / "card.md").read_text()


def test_more_calibration_images_than_the_model_was_trained_on(model, tmp_path):
    with pytest.raises(InputError, match=r"--calibration-images 301 asked\. Allowed: 1 to 300"):
        azeotrope.export(model, to="onnx-int8", out=tmp_path / "x", calibration_images=301)


def test_a_target_that_is_not_known(model, tmp_path):
    with pytest.raises(InputError, match=r"no export target named 'onxx'\. Allowed: nearest: onnx"):
        azeotrope.export(model, to="onxx", out=tmp_path / "x")


def test_images_of_another_task(model, tmp_path):
    with pytest.raises(InputError, match=r"trained on, and .* holds others.*fingerprint"):
        azeotrope.export(model, out=tmp_path / "x", data=_other_digits(tmp_path))


def _other_digits(folder: Path) -> str:
    from PIL import Image
    from sklearn.datasets import load_digits

    bunch = load_digits()
    for place in range(100):
        file = folder / "pictures" / str(bunch.target[place]) / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((bunch.images[place] * 15).astype("uint8")).save(file)
    return str(folder / "pictures")


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(InputError, match=r"no model\.yaml"):
        azeotrope.export(tmp_path)


def test_a_model_of_another_version(model, tmp_path):

    folder = tmp_path / "m"
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("export"))
    with (folder / "model.yaml").open("a") as file:
        file.write("deployment: later\n")
    with pytest.raises(InputError, match=r"written by another version of azeotrope\. Found: .*deployment"):
        azeotrope.export(folder)


def test_a_model_away_from_its_plan_asks_for_its_images(model, tmp_path):

    folder = tmp_path / "m"
    shutil.copytree(model, folder)
    with pytest.raises(InputError, match=r"no plan\.yaml two folders above.*--data"):
        azeotrope.export(folder, out=tmp_path / "x")
    made = azeotrope.export(folder, to="pt2", out=tmp_path / "x", data="digits")
    assert made.verification.data == "digits"


def test_images_that_have_moved_are_asked_for(distilled, tmp_path):
    data = Path(_other_digits(tmp_path))
    model = distilled(data, train_images=40)
    moved = data.rename(tmp_path / "moved")
    with pytest.raises(InputError, match=r"plan\.yaml: There is no folder.*name where they are now with --data"):
        azeotrope.export(model, to="pt2", out=tmp_path / "x")
    assert azeotrope.export(model, to="pt2", out=tmp_path / "x", data=moved, max_drop=1).folder.is_dir()


def test_a_disk_that_is_full_leaves_nothing(model, tmp_path, monkeypatch):
    import errno

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("azeotrope.exporting.bundle._write_samples", full)
    with pytest.raises(StoreError, match="disk is full"):
        azeotrope.export(model, to="pt2", out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
import azeotrope
from azeotrope.session.exports import exporting
exporting.write_texts = lambda *_: os._exit(9)
azeotrope.export(sys.argv[1], to="pt2", out=sys.argv[2])
"""


def test_killed_midway_there_is_no_bundle(model, tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(model), str(tmp_path / "x")], check=False)
    assert done.returncode == 9
    assert not (tmp_path / "x").exists()
    assert azeotrope.export(model, to="pt2", out=tmp_path / "x").folder.is_dir()


BRANCHING = """
from torch import nn

class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(8, 10)

    def forward(self, images):
        features = self.body(images)
        if features.mean() > 0.5:
            features = features * 2
        return self.head(features)

def build():
    return Branching()
"""


def test_a_network_whose_path_depends_on_the_pixels(distilled, tmp_path):
    (tmp_path / "mine.py").write_text(BRANCHING)
    model = distilled("digits", train_images=60, student=f"file:{tmp_path / 'mine.py'}:build")
    with pytest.raises(NotExported, match=r"cannot be written as a fixed graph.*keep model\.safetensors"):
        azeotrope.export(model, to="onnx,pt2", out=tmp_path / "x")
    assert not (tmp_path / "x").exists()
    (said,) = azeotrope.predict(model, _first(tmp_path))
    assert said.problem is None


def _first(folder: Path) -> str:
    return str(next(Path(_other_digits(folder)).rglob("*.png")))


@pytest.mark.parametrize(("table", "kind", "outputs"), [("several", "multi", 2), ("number", "number", 1)])
def test_other_kinds_of_task(distilled, digit_tables, tmp_path, table, kind, outputs):
    from azeotrope.labels import LabelSpec

    data = digit_tables / f"{table}.csv"
    model = distilled(data, labels=LabelSpec(kind=kind, column={"number": "ink"}.get(kind)))
    made = azeotrope.export(model, to="onnx", out=tmp_path / "x")
    assert made.verification.files[0].drop.value == pytest.approx(0, abs=1e-6)
    assert (made.verification.calibration is None) == (kind == "number")
    proto = onnx.load(made.folder / "model.onnx")
    assert len(proto.graph.output) == outputs
    picture = digit_tables / "0.png"
    (file,), (saved,) = azeotrope.predict(made.folder / "model.onnx", picture), azeotrope.predict(model, picture)
    assert file.classes == saved.classes
    if kind == "number":
        assert file.value == pytest.approx(saved.value, rel=1e-4)
    done = run_alone(str(made.folder / "run.py"), "--check", str(picture))
    assert done.returncode == 0, done.stderr


def test_test_errors_are_those_of_the_files_and_choose_nothing(exported, model):
    """Truth from outside: the record's own test error of the network, and `predict` for a file."""
    said, facts = exported.verification, load_model(model).facts
    task = load_task("digits")
    assert said.test_images == len(task.splits.test)
    assert said.network.test_error == pytest.approx(facts["test_error"])
    float_, int8, _ = said.files
    assert float_.test_error == said.network.test_error
    predictor = open_predictor(exported.folder / "model.int8.onnx")
    rows = task.splits.test
    answers = [predictor.said(decode(task.source.read(row)).pixels).argmax().item() for row in rows.tolist()]
    assert int8.test_error == pytest.approx((np.array(answers) != task.labels[rows]).mean())
    card = (exported.folder / "card.md").read_text()
    assert f"on {said.test_images} test images, which decided nothing" in card
    assert f"| {int8.error:.4f} | {int8.test_error:.4f} |" in card


def test_the_report_shows_what_was_verified_and_names_a_bundle_that_it_cannot_read(exported, model, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(model.parents[1], out)
    bundle = out / "models" / model.name / "export"
    shutil.copytree(exported.folder, bundle)
    html = azeotrope.report(out).read_text()
    assert "Files for a device" in html
    for file in exported.verification.files:
        assert f"<code>{file.file}</code>" in html
        assert file.drop.said in html
    (bundle / "verification.json").write_text("{}")
    html = azeotrope.report(out).read_text()
    assert f"<code>models/{model.name}/export</code> cannot be shown." in html
    shutil.rmtree(bundle)
    assert "Files for a device" not in azeotrope.report(out).read_text()
