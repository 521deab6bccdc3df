"""One resize from the file to the student's size: Pillow's bytes, wherever a picture is judged or used."""

import io
import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import azeotrope.exporting
from azeotrope.data.decode import decode
from azeotrope.data.task import load_task
from azeotrope.devices.device import Device
from azeotrope.exporting.preparation import preparation_of
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.network import Network
from azeotrope.models.saved import SavedModel
from azeotrope.models.spec import ModelSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.session.predicting import _plain
from azeotrope.sweeping.deploying import _pixels
from azeotrope.sweeping.resources import Resources
from azeotrope.train.dataset import StudentData, TaskImages
from azeotrope.train.evaluate import _file_test, validate

SIZE = 24
SHAPES = ((97, 61), (64, 64), (31, 180), (40, 40), (300, 200), (17, 20))
KERNELS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
RUN = runpy.run_path(str(Path(azeotrope.exporting.__file__).parent / "bundled" / "run.py"))


def content(number, mode):
    """A file: PNG or JPEG in turn, of another shape each."""
    height, width = SHAPES[number % len(SHAPES)]
    random = np.random.default_rng(number)
    ramp = np.linspace(0, 180, width)[None, :, None] + np.linspace(0, 50, height)[:, None, None]
    pixels = (ramp + random.integers(0, 25, (height, width, 3))).astype(np.uint8)
    pixels[height // 3 :, width // 2 :] = 255 - pixels[height // 3 :, width // 2 :]
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, ("PNG", "JPEG")[number % 2])
    return buffer.getvalue()


def folder_of(root, modes):
    for number in range(24):
        file = root / "ab"[number // 12] / f"{number}.{('png', 'jpg')[number % 2]}"
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
