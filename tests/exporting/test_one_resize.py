"""One resize from the file to the student's size: Pillow's bytes, wherever a picture is judged or used."""

import io
import json
import runpy
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import azeotrope
import azeotrope.exporting
from azeotrope.data.decoding.decode import decode
from azeotrope.data.task import load_task
from azeotrope.devices.device import Device
from azeotrope.exporting.deployed import Deployed
from azeotrope.exporting.preparation import preparation_of
from azeotrope.exporting.verification import eager
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.network import Network
from azeotrope.models.saved import SavedModel, load_model
from azeotrope.models.spec import ModelSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.record.storage.store import RunStore
from azeotrope.session.exports.predicting import _plain
from azeotrope.sweeping.runs.deploying import _pixels
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.train.dataset import StudentData, TaskImages
from azeotrope.train.evaluate import _file_test, validate

SIZE, PICTURES = 24, 40
SHAPES = ((97, 61), (64, 64), (31, 180), (40, 40), (300, 200), (17, 20))
KERNELS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
BUNDLED = Path(azeotrope.exporting.__file__).parent / "bundled"
RUN = runpy.run_path(str(BUNDLED / "run.py"))


def content(number, mode):
    """A file: PNG or JPEG in turn, of another shape each."""
    height, width = SHAPES[number % len(SHAPES)]
    random = np.random.default_rng(number)
    coarse = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8))  # so that none is a near copy
    pixels = np.asarray(coarse.resize((width, height), Image.Resampling.NEAREST)) // 2
    pixels = pixels + random.integers(0, 100, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, ("PNG", "JPEG")[number // 2 % 2])
    return buffer.getvalue()


def folder_of(root, modes):
    for number in range(PICTURES):
        file = root / "ab"[number % 2] / f"{number}.{('png', 'jpg')[number // 2 % 2]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content(number, modes[number % len(modes)]))
    return root


@pytest.fixture(scope="module", params=["colour", "grey", "mixed"])
def folder(request, tmp_path_factory):
    modes = {"colour": ("RGB",), "grey": ("L",), "mixed": ("RGB", "RGB", "L")}[request.param]
    return folder_of(tmp_path_factory.mktemp("pictures") / request.param, modes)


def by_pillow(raw, fit, kernel):
    """[3, S, S], from a file's bytes: what a program on a device does."""
    with Image.open(io.BytesIO(raw)) as image:
        shown = image.copy()
    if fit == "crop":
        side = min(shown.size)
        left, top = (shown.width - side) // 2, (shown.height - side) // 2
        shown = shown.crop((left, top, left + side, top + side))
    if fit == "pad":
        square = Image.new(shown.mode, (max(shown.size),) * 2)
        square.paste(shown, ((square.width - shown.width) // 2, (square.height - shown.height) // 2))
        shown = square
    small = shown.resize((SIZE, SIZE), kernel)
    return np.asarray(small.convert("RGB")).transpose(2, 0, 1)


class Seen(torch.nn.Module):
    """A backbone that keeps what it is shown, and answers nothing of sense."""

    def __init__(self):
        super().__init__()
        self.images = []

    def forward(self, images):
        self.images.append(images.clone())
        return torch.zeros(len(images), 1)

    @property
    def levels(self):
        return (torch.cat(self.images) * 255).round().to(torch.uint8).numpy()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("fit", ["squeeze", "crop", "pad"])
def test_the_bytes_are_the_same_from_validation_to_the_device(folder, tmp_path, fit, kernel):
    task = load_task(str(folder), labels=LabelSpec(pixels=PixelSpec(fit=fit)))
    resources = Resources(tmp_path, Device("cpu", "fp32"))
    resources.add(task)
    rows = np.arange(len(task.labels))
    raw = [task.source.read(row) for row in rows.tolist()]
    wanted = np.stack([by_pillow(each, fit, KERNELS[kernel]) for each in raw])

    pack = resources.pack(task.fingerprint, SIZE)
    plain = resources.plain(task.fingerprint, SIZE, kernel)
    plain.ensure(rows)
    bare = Preprocessing(SIZE, (0.0,) * 3, (1.0,) * 3, kernel)
    data = StudentData(TaskImages(pack, ViewPolicy(), 1, plain=plain), SIZE, bare)
    network = Network(Seen(), torch.nn.Linear(1, 2))
    validate(network, data, rows, Device("cpu", "fp32"))
    np.testing.assert_array_equal(network.backbone.levels, wanted)
    assert len(pack.store.missing(rows)) == len(rows)  # no frame was needed

    files = []
    _file_test(lambda pixels: files.append(pixels) or np.zeros((len(pixels), 2), np.float32), data, rows)
    np.testing.assert_array_equal(np.concatenate(files), wanted)

    channels = task.manifest.bands
    look = Preprocessing(
        SIZE, bare.mean, bare.std, kernel, stored_channels=channels, pixels=task.manifest.pixels, resize="once"
    )
    saved = SavedModel(network, ("a", "b"), look, ModelSpec.parse("test_resnet"), {})
    deployed = _pixels(resources, SimpleNamespace(task=task.fingerprint, image_size=SIZE), saved, rows)
    np.testing.assert_array_equal(deployed, wanted)

    how = preparation_of(saved, 1.0)
    settings = json.loads(how.model_dump_json())
    assert [step["step"] for step in settings["steps"]].count("resize") == 1
    for each, pixels in zip(raw, wanted, strict=True):
        picture = decode(each, look.reading).pixels
        np.testing.assert_array_equal(how.pixels(picture), pixels)
        np.testing.assert_array_equal((_plain(picture, look)[0] * 255).round().to(torch.uint8).numpy(), pixels)
        (tmp_path / "picture").write_bytes(each)
        np.testing.assert_array_equal(RUN["prepared"](tmp_path / "picture", settings)[0], pixels)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node, which runs the page's arithmetic")
@pytest.mark.parametrize("filter_", KERNELS)
def test_the_page_makes_the_same_bytes(tmp_path, filter_):
    """The script of `demo.html` from its filters to `prepared`, on pixels as a browser's canvas gives them."""
    page = (BUNDLED / "demo.html").read_text(encoding="utf-8")
    script = page[page.index("const FILTERS") : page.index("// Upright, transparent parts on white")]
    how = {"size": SIZE, "steps": [{"step": "resize", "size": SIZE, "filter": filter_, "reducing_gap": None}]}
    pictures, wanted = [], []
    for number in range(len(SHAPES)):
        raw = content(number, "RGB")
        with Image.open(io.BytesIO(raw)) as image:
            data = list(image.convert("RGBA").tobytes())
            pictures.append({"data": data, "width": image.width, "height": image.height})
        wanted.append(by_pillow(raw, "squeeze", KERNELS[filter_]))
    asked = f"for (const one of {json.dumps(pictures)}) console.log(JSON.stringify(Array.from(prepared(one))));"
    (tmp_path / "page.js").write_text(f"const how = {json.dumps(how)};\n{script}\n{asked}")
    done = subprocess.run(["node", tmp_path / "page.js"], capture_output=True, text=True, check=True)
    made = np.array([json.loads(line) for line in done.stdout.splitlines()])
    np.testing.assert_array_equal(made, np.stack(wanted).reshape(len(SHAPES), -1))


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The folder of one run whose student was measured as a file too; its cache is in it."""
    root = tmp_path_factory.mktemp("trained on")
    azeotrope.compare(
        str(folder_of(root / "set", ("RGB",))),
        student="test_resnet",
        teacher=None,
        arms="scratch",
        seeds=1,
        deploy="onnx",
        train_images=20,
        image_size=32,
        recipe={"epochs": 12, "learning_rates": (3e-3,), "views": 1},
        precision="fp32",
        cache=root / "cache",
        out=root / "out",
    )
    return root


@pytest.fixture(scope="module")
def trained(compared):
    (model,) = (compared / "out" / "models").iterdir()
    return model


def test_a_run_is_judged_on_pictures_resized_once(compared, trained):
    """Its record says so, and its errors are those of the bytes that a device makes."""
    (record,) = RunStore(str(compared / "out"))
    assert (record.state, record.resize, record.upstream_resize) == ("done", "once", None)
    task, saved = load_task(str(compared / "set")), load_model(trained)
    resources = Resources(compared / "cache", Device("cpu", "fp32"))
    resources.add(task)
    held_out = np.concatenate([resources.rows(task.fingerprint, 20, 0).val, task.splits.test])
    plain = resources.plain(task.fingerprint, 32, saved.preprocessing.interpolation)
    assert len(plain.store.missing(held_out)) == 0

    how = preparation_of(saved, 1.0)
    pictures = [decode(task.source.read(row), saved.preprocessing.reading).pixels for row in held_out.tolist()]
    said = eager(Deployed(saved), np.stack([how.pixels(picture) for picture in pictures])).argmax(1).numpy()
    wrong, val = said != task.labels[held_out], record.val_images
    assert record.val_error == pytest.approx(wrong[:val].mean())
    np.testing.assert_array_equal(~record.correctness(), wrong[val:])
    assert record.deployed["onnx"].correct == record.correct
    assert record.deployed["onnx"].val_error == record.val_error


def as_an_earlier_version_saved(model, folder):
    """Its model.yaml had the size of the frames, 40 pixels for a student of 32, and no word of one resize."""
    shutil.copytree(model, folder)
    description = yaml.safe_load((folder / "model.yaml").read_text())
    assert description["preprocessing"].pop("resize") == "once"
    description["preprocessing"]["stored_size"] = 40
    (folder / "model.yaml").write_text(yaml.safe_dump(description, sort_keys=False))
    return folder


@pytest.mark.parametrize("earlier", [False, True])
def test_a_model_is_exported_and_predicts_as_it_was_judged(trained, tmp_path, earlier):
    """The first stage holds the pixels of validation against those of the bundle."""
    model = as_an_earlier_version_saved(trained, tmp_path / "models" / "earlier") if earlier else trained
    data = str(trained.parents[2] / "set")
    made = azeotrope.export(model, to="onnx", data=data, out=tmp_path / "bundle", max_drop=1.0)
    (stage, _) = made.verification.stages
    assert stage.largest < 1e-6
    steps = json.loads((made.folder / "preprocessing.json").read_text())["steps"]
    assert [step["size"] for step in steps] == ([40, 32] if earlier else [32])

    picture = tmp_path / "picture.png"
    picture.write_bytes(content(1, "RGB"))
    look, network = load_model(model).preprocessing, load_model(model).network
    with Image.open(picture) as image:
        frame = image.resize((40, 40), Image.Resampling.BICUBIC, reducing_gap=3.0) if earlier else image.copy()
    small = torch.tensor(np.asarray(frame.resize((32, 32), KERNELS[look.interpolation]))).permute(2, 0, 1) / 255
    shown = (small - torch.tensor(look.mean)[:, None, None]) / torch.tensor(look.std)[:, None, None]
    with torch.no_grad():
        wanted = network(shown[None]).logits[0].softmax(0)
    for asked in (model, made.folder / "model.onnx"):
        (said,) = azeotrope.predict(asked, picture, top=2)
        ordered = [dict(zip(said.classes, said.probabilities, strict=True))[name] for name in ("a", "b")]
        if asked is model:  # the file has a temperature inside
            assert ordered == pytest.approx(wanted.tolist(), abs=1e-5)
        assert (ordered[0] > ordered[1]) == (wanted[0] > wanted[1])
