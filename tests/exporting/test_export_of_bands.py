"""Five-band TIFFs, 16-bit PNGs and medical pictures from the file to the exported answer, and `run.py` on them."""

import json
import runpy
import subprocess
import sys

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from sklearn.datasets import load_digits

import azeotrope
from azeotrope.data.decoding.decode import decode
from azeotrope.exporting.preparation import read_preparation
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.models.saved import load_model
from azeotrope.session.progress import Silent
from medical import NAME, NUMBER, medical_set

SIDE, BANDS = 32, 5
GAINS = np.array([0.2, 0.9, 1.0, 0.8, 0.5])
RANGE = (2_000, 60_000)


def levels_of(count=160):
    """Digits of four classes as [H, W, bands] of 16 bits, with noise, and the class of each."""
    digits, random = load_digits(n_class=4), np.random.default_rng(0)
    for place in range(count):
        large = np.kron(digits.images[place] / 16, np.ones((SIDE // 8, SIDE // 8)))
        values = 50_000 * large[..., None] * GAINS + random.uniform(0, 9_000, (SIDE, SIDE, BANDS))
        yield place, int(digits.target[place]), values.astype(np.uint16)


def written(folder, write):
    for place, digit, values in levels_of():
        into = folder / f"digit {digit}"
        into.mkdir(parents=True, exist_ok=True)
        write(into / str(place), values)
    return folder


def as_tiff(path, values):
    tifffile.imwrite(path.with_suffix(".tif"), values, photometric="minisblack", planarconfig="contig")


def as_png(path, values):
    Image.fromarray(values[..., 2]).save(path.with_suffix(".png"))


def run_of(bundle, *words):
    return subprocess.run([sys.executable, bundle / "run.py", *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory, distilled):
    folder = written(tmp_path_factory.mktemp("scenes"), as_tiff)
    labels = LabelSpec(value_range=RANGE, pixels=PixelSpec(bands="all", bits=16))
    model = distilled(folder, train_images=60, labels=labels)
    return folder, model, azeotrope.export(model, to="onnx,onnx-int8,pt2", max_drop=1.0)


@pytest.fixture(scope="module")
def scans(tmp_path_factory, distilled):
    folder = written(tmp_path_factory.mktemp("scans"), as_png)
    labels = LabelSpec(value_range=RANGE, pixels=PixelSpec(bits=16, fit="pad"))
    model = distilled(folder, train_images=60, labels=labels)
    return folder, model, azeotrope.export(model, to="onnx", max_drop=1.0)


def by_class(said):
    return dict(zip(said.classes, said.probabilities, strict=True))


def test_the_file_is_verified_on_the_sets_own_bands(scenes):
    _, _, made = scenes
    float_, int8, pt2 = made.verification.files
    assert int8.int8_share == 1.0
    for file in (float_, pt2):
        assert file.parity.answers_differ == file.parity.ties
        assert file.parity.largest < 1e-3 * file.parity.spread
    first, second = made.verification.stages
    assert max(first.largest, second.largest) < 1e-4


def test_the_graph_takes_the_values_of_the_file(scenes):
    """Truth from the values alone: at the files' own size the input is the value in its range, times 65,535."""
    folder, model, made = scenes
    said = load_model(model)
    look, how = said.preprocessing, json.loads((made.folder / "preprocessing.json").read_text())
    assert (how["channels"], how["bands"], how["files"]) == (BANDS, BANDS, {"bands": "all", "bits": 16})
    temperature = how["temperature"]
    for file in sorted(folder.glob("*/*.tif"))[::31]:
        shares = (tifffile.imread(file).astype(np.float64) - RANGE[0]) / (RANGE[1] - RANGE[0])
        shares = torch.tensor(np.round(shares.clip(0, 1) * 65_535) / 65_535).permute(2, 0, 1)
        mean, std = (torch.tensor(values, dtype=torch.float64)[:, None, None] for values in (look.mean, look.std))
        with torch.inference_mode():
            logits = said.network(((shares - mean) / std).float()[None]).logits[0] / temperature
        wanted = dict(zip(said.classes, logits.softmax(0).tolist(), strict=True))
        for name in ("model.onnx", "model.pt2"):
            (found,) = azeotrope.predict(made.folder / name, file, top=4)
            assert by_class(found) == pytest.approx(wanted, abs=1e-4)


def test_run_py_reads_arrays_and_says_what_reads_the_rest(scenes, tmp_path):
    folder, _, made = scenes
    file = sorted(folder.glob("*/*.tif"))[3]
    first, last, four = (tmp_path / f"{name}.npy" for name in ("first", "last", "four"))
    values = tifffile.imread(file)
    np.save(last, values)
    np.save(first, values.transpose(2, 0, 1))
    np.save(four, values[..., :4])
    done = run_of(made.folder, "--check", "--model", "model.onnx", last, first, four, file)
    (said,) = azeotrope.predict(made.folder / "model.onnx", file, top=3)
    words = ", ".join(f"{n} {100 * p:.1f} %" for n, p in zip(said.classes, said.probabilities, strict=True))
    assert done.stdout.count(".npy: as verified") == 3
    assert done.stdout.splitlines()[3:] == [f"{last}: {words}", f"{first}: {words}"]
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{four}: cannot be read: the model was trained on 5 bands, and the file has 4",
        f"{file}: cannot be read: a file that Pillow does not read is not read here: "
        "`azeotrope predict model.onnx FILE` reads it",
    ]
    (other,) = azeotrope.predict(made.folder / "model.onnx", four)
    assert other.problem == "the model was trained on 5 bands, and the file has 4"


def test_16_bit_pngs_go_from_the_file_to_the_same_answer_in_all_three(scans):
    folder, model, made = scans
    for file in sorted(folder.glob("*/*.png"))[::23]:
        (found,) = azeotrope.predict(made.folder / "model.onnx", file, top=4)
        (network,) = azeotrope.predict(model, file, top=4)
        assert found.classes == network.classes
        done = run_of(made.folder, "--check", file)
        assert done.stdout.count(".png: as verified") == 3
        words = ", ".join(f"{n} {100 * p:.1f} %" for n, p in list(by_class(found).items())[:3])
        assert done.stdout.splitlines()[-1] == f"{file}: {words}"


def test_run_py_prepares_wide_and_narrow_pictures_of_any_kind_as_the_graph_was_verified(scans, scenes, tmp_path):
    """`run.py` against the package, input by input: crop and pad, 8 and 16 bits, one, three and five bands."""
    program = runpy.run_path(str(scans[2].folder / "run.py"))
    random, pictures = np.random.default_rng(5), {}
    for height, width in ((40, 70), (130, 50)):
        for bands in (1, 3, 5):
            for depth in (np.uint8, np.uint16):
                name = tmp_path / f"{height} {bands} {np.dtype(depth)}.npy"
                np.save(name, random.integers(0, np.iinfo(depth).max, (height, width, bands)).astype(depth))
                pictures[name] = bands
    for bundle, bits, fit in ((scenes[2], 16, "pad"), (scenes[2], 8, "crop"), (scenes[2], 16, "squeeze")):
        base = read_preparation(bundle.folder)
        square = () if fit == "squeeze" else ({"step": "square", "fit": fit},)
        for name, bands in pictures.items():
            content = base.model_dump(mode="json")
            content.update(channels=bands, bands=bands, files={"bands": "all", "bits": bits, "fit": fit})
            content["steps"] = [*square, *content["steps"]]
            how = type(base).model_validate(content)
            wanted = how.pixels(decode(name.read_bytes(), how.reading).pixels)
            found = program["prepared"](name, json.loads(how.model_dump_json()))[0]
            assert np.array_equal(found, wanted), (name.name, bits, fit)


def test_the_page_is_left_out_with_the_reason(scans, tmp_path, notes):
    _, model, _ = scans
    made = azeotrope.export(model, out=tmp_path / "bundle", page=tmp_path, max_drop=1.0, progress=notes)
    assert not (made.folder / "demo.html").exists()
    assert notes.said[1:] == [
        "demo.html is left out: a browser gives grey and colour of 8 bits, and this model was trained on files of more "
        "than 8 bits, or with --bands, --bits, --colours, --fit or --formats."
    ]


def test_files_of_16_bits_without_an_option_have_no_page_and_a_card_with_their_range(distilled, tmp_path, notes):
    """Their range is found, and no option says that they are not plain pictures."""
    model = distilled(written(tmp_path / "scans", as_png), train_images=60)
    made = azeotrope.export(model, page=tmp_path, max_drop=1.0, progress=notes)
    assert not (made.folder / "demo.html").exists()
    assert notes.said[-1].startswith("demo.html is left out: a browser gives grey and colour of 8 bits")
    low, high = json.loads((made.folder / "preprocessing.json").read_text())["value_range"]
    wanted = f"1. Decode the file as grey or colour, upright, 8 bits a channel, {low:g} as 0 and {high:g} as 255."
    assert wanted in (made.folder / "card.md").read_text().splitlines()


@pytest.fixture
def notes():
    class Notes(Silent):
        def __init__(self):
            self.said = []

        def note(self, words):
            self.said.append(words)

    return Notes()


def test_medical_pictures_are_exported_and_no_bundle_holds_their_tags(distilled, tmp_path):
    medical_set(tmp_path / "scans", count=48)
    model = distilled(tmp_path / "scans", train_images=20, labels=LabelSpec(pixels=PixelSpec(formats=("dicom",))))
    made = azeotrope.export(model, to="onnx", max_drop=1.0)
    file = next((tmp_path / "scans").rglob("*.dcm"))
    (found,), (network,) = azeotrope.predict(made.folder / "model.onnx", file), azeotrope.predict(model, file)
    assert found.classes == network.classes
    done = run_of(made.folder, "--check", file)
    assert done.stdout.count(".png: as verified") == 3
    assert done.stderr.splitlines() == [
        f"{file}: cannot be read: a DICOM file is not read here: `azeotrope predict model.onnx FILE` reads it"
    ]
    for word in (*NAME.split("^"), NUMBER):
        assert not any(word.encode() in each.read_bytes() for each in made.folder.rglob("*") if each.is_file())
