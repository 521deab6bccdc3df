"""Five-band TIFFs of 16 bits from the file to a verdict, a saved model and `predict`, and what is refused."""

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from sklearn.datasets import load_digits

from azeotrope.api.predict import predict
from azeotrope.errors import InputError
from azeotrope.exporting.targets._onnxruntime import OnnxProgram
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.models.saved import load_model, model_folder
from azeotrope.plan import TeacherSpec
from azeotrope.record.storage.answers import stored_test_set
from azeotrope.record.storage.store import RunStore
from data.test_formats import by_hand, profile
from medical import NAME, NUMBER, medical_set

SIDE, BANDS = 32, 5
GAINS = np.array([0.2, 0.9, 1.0, 0.8, 0.5])
FINE = LabelSpec(value_range=(0, 65_535), pixels=PixelSpec(bands="all", bits=16))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """120 digits of four classes, each as five bands of 16 bits; the first and the last hold noise too."""
    folder, random = tmp_path_factory.mktemp("scenes"), np.random.default_rng(0)
    digits = load_digits(n_class=4)
    for place in range(120):
        grey = np.kron(digits.images[place] / 16, np.ones((SIDE // 8, SIDE // 8)))
        levels = 60_000 * grey[..., None] * GAINS + random.uniform(0, 5_000, (SIDE, SIDE, BANDS))
        into = folder / f"digit {digits.target[place]}"
        into.mkdir(exist_ok=True)
        tifffile.imwrite(
            into / f"{place}.tif", levels.astype(np.uint16), photometric="minisblack", planarconfig="contig"
        )
    return folder


@pytest.fixture(scope="module")
def made(compare, scenes, teacher_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("bands") / "out"
    teacher = TeacherSpec(model=teacher_model, image_size=32, bands=(4, 3, 2), weak=True)
    comparison = compare(scenes, out, labels=FINE, teacher=teacher, train_images=40, seeds=1)
    return comparison, out


def test_every_arm_runs_and_the_record_says_which_bands_taught(made):
    comparison, out = made
    assert not comparison.failed
    assert {arm.name for arm in comparison.arms} == {"scratch", "distill"}
    for record in RunStore(str(out)):
        assert record.task.pixels == FINE.pixels
        assert record.teacher is None or record.teacher.bands == (4, 3, 2)
        assert record.student.parameters == sum(
            each.numel() for each in load_model(model_folder(out)).network.parameters()
        )


def test_the_saved_model_answers_what_its_network_says_of_the_files_values(made, scenes):
    """At the size of the files nothing is resampled: the input is each value over 65,535, normalised."""
    _, out = made
    saved = load_model(model_folder(out))
    look = saved.preprocessing
    assert len(look.mean) == look.stored_channels == BANDS
    assert look.pixels == FINE.pixels
    assert look.value_range == (0, 65_535)
    files = sorted(scenes.glob("*/*.tif"))[::17]
    for said, file in zip(predict(out, files, top=4), files, strict=True):
        shares = torch.tensor(tifffile.imread(file).astype(np.float64) / 65_535).permute(2, 0, 1)
        mean, std = (torch.tensor(values, dtype=torch.float64)[:, None, None] for values in (look.mean, look.std))
        with torch.inference_mode():
            logits = saved.network(((shares - mean) / std).float()[None]).logits[0]
        wanted = dict(zip(saved.classes, logits.softmax(0).tolist(), strict=True))
        assert dict(zip(said.classes, said.probabilities, strict=True)) == pytest.approx(wanted, abs=1e-5)


def test_arrays_of_a_folder_are_predicted_too(made, scenes, tmp_path):
    _, out = made
    file = next(scenes.glob("*/*.tif"))
    np.save(tmp_path / "scene.npy", tifffile.imread(file))
    (said,), (wanted,) = predict(out, tmp_path), predict(out, file)
    assert said.image.endswith("scene.npy")
    assert said.probabilities == wanted.probabilities


def test_a_file_of_other_bands_has_a_problem_and_no_answer(made, scenes, tmp_path):
    _, out = made
    file = next(scenes.glob("*/*.tif"))
    np.save(tmp_path / "four.npy", tifffile.imread(file)[..., :4])
    (said,) = predict(out, tmp_path / "four.npy")
    assert said.problem == "the model was trained on 5 bands, and the file has 4"
    assert not said.classes


def test_a_teacher_without_bands_is_refused_before_an_image_is_listed(compare, teacher_model, tmp_path):
    """However many bands there are, it must be told: the folder need not even be there."""
    with pytest.raises(InputError) as refused:
        compare(tmp_path / "nowhere", tmp_path / "out", labels=FINE, teacher=TeacherSpec(model=teacher_model), seeds=1)
    assert refused.value.rule == "A teacher must be told which bands it looks at"
    assert refused.value.found == "--bands all and no --teacher-bands"


def as_arrays(scenes, folder):
    """The same as `.npy` files of single precision."""
    for file in scenes.glob("*/*.tif"):
        into = folder / file.parent.name
        into.mkdir(parents=True, exist_ok=True)
        np.save(into / file.stem, tifffile.imread(file).astype(np.float32))
    return folder


@pytest.mark.parametrize(
    ("arrays", "pixels"), [(False, FINE.pixels), (True, PixelSpec(bands=(4, 2)))], ids=["16-bit TIFF", "arrays"]
)
def test_arms_are_judged_as_files_that_see_the_files_values(arrays, pixels, compare, scenes, tmp_path, monkeypatch):
    """At the size of the files nothing is resampled: the graph's input is each value over 65,535, in whole levels."""
    shown, answer = [], OnnxProgram.answer
    monkeypatch.setattr("azeotrope.exporting.target.TIMED", (5, 0.0))
    monkeypatch.setattr(OnnxProgram, "answer", lambda self, pixels: shown.append(pixels) or answer(self, pixels))
    folder = as_arrays(scenes, tmp_path / "arrays") if arrays else scenes
    asked = {"teacher": None, "arms": ["scratch"], "train_images": 40, "seeds": 1, "deploy": "onnx,onnx-int8"}
    out = tmp_path / "out"
    comparison = compare(folder, out, labels=FINE.model_copy(update={"pixels": pixels}), **asked)
    (record,), test = RunStore(str(out)), stored_test_set(out)
    assert not comparison.failed
    float_, int8 = record.deployed["onnx"], record.deployed["onnx-int8"]
    assert (float_.reason, int8.reason) == (None, None)
    assert (float_.correct, float_.test_error) == (record.correct, record.test_error)
    assert (int8.int8_share, int8.calibration_images) == (1.0, 40)
    most = 2**pixels.bits - 1
    wanted = []
    for key in test.keys:
        values = np.load(folder / key) if arrays else tifffile.imread(folder / key)
        chosen = values if pixels.bands == "all" else values[..., [band - 1 for band in pixels.bands]]
        wanted.append(np.round(chosen.astype(np.float64) / 65_535 * most).transpose(2, 0, 1))
    for seen in shown[-2:]:  # of both files, on the test images
        np.testing.assert_array_equal(seen, wanted)
    assert record.as_deployed("onnx-int8").test_error == 1 - record.as_deployed("onnx-int8").correctness().mean()


def test_arms_as_files_see_colours_in_srgb_and_padded(compare, tmp_path, monkeypatch):
    """Pictures of 32 x 24 pixels in Display P3: the closed form of the conversion, between two black bars."""
    shown, answer, random = [], OnnxProgram.answer, np.random.default_rng(0)
    monkeypatch.setattr("azeotrope.exporting.target.TIMED", (5, 0.0))
    monkeypatch.setattr(OnnxProgram, "answer", lambda self, pixels: shown.append(pixels) or answer(self, pixels))
    for place in range(60):
        into = tmp_path / "wide" / f"{place % 2}"
        into.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(60, 200, (24, 32, 3)).astype(np.uint8)
        pixels[..., place % 2] //= 2
        Image.fromarray(pixels).save(into / f"{place}.png", icc_profile=profile())
    asked = {"teacher": None, "arms": ["scratch"], "train_images": 20, "seeds": 1, "deploy": "onnx"}
    labels = LabelSpec(pixels=PixelSpec(colours="srgb", fit="pad"))
    assert not compare(tmp_path / "wide", tmp_path / "out", labels=labels, **asked).failed
    (record,), test = RunStore(str(tmp_path / "out")), stored_test_set(tmp_path / "out")
    assert record.deployed["onnx"].correct == record.correct
    for key, seen in zip(test.keys, shown[-1], strict=True):
        wanted = by_hand(np.asarray(Image.open(tmp_path / "wide" / key)))
        np.testing.assert_allclose(seen[:, 4:28].transpose(1, 2, 0), wanted, atol=1.5)
        assert not seen[:, :4].any()
        assert not seen[:, 28:].any()


REFUSED = {
    "no bands for the teacher": ({}, "A teacher must be told which bands it looks at"),
    "a band that is not there": ({"bands": (6, 3, 2)}, "A teacher looks at bands that are read"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_bands_cannot_do_is_refused_before_training(what, compare, scenes, teacher_model, tmp_path):
    bands, rule = REFUSED[what]
    teacher = TeacherSpec(model=teacher_model, image_size=32, **bands)
    with pytest.raises(InputError) as refused:
        compare(scenes, tmp_path / "out", labels=FINE, teacher=teacher, train_images=40, seeds=1)
    assert refused.value.rule == rule


def test_a_teacher_looks_at_three_bands_or_one():
    with pytest.raises(ValueError, match="a teacher looks at three bands, or at one as grey"):
        TeacherSpec(model="x", bands=(1, 2))


def test_personal_data_of_medical_pictures_reach_no_file(compare, tmp_path):
    """Neither records, report, model and predictions nor the cache hold a name or a number of a patient."""
    medical_set(tmp_path / "scans", count=24)
    out, cache = tmp_path / "out", tmp_path / "cache"
    asked = LabelSpec(pixels=PixelSpec(formats=("dicom",)))
    comparison = compare(
        tmp_path / "scans", out, labels=asked, arms=["scratch"], teacher=None, train_images=12, seeds=1, cache=cache
    )
    assert not comparison.failed
    said = predict(out, tmp_path / "scans")
    assert len(said) == 24
    assert not any(each.problem for each in said)
    files = [file for folder in (out, cache) for file in folder.rglob("*") if file.is_file()]
    assert {".json", ".html", ".yaml", ".md", ".npz"} <= {file.suffix for file in files}
    for word in (*NAME.split("^"), NUMBER):
        assert not any(word.encode() in file.read_bytes() for file in files)
