"""A picture's pixels: the same bytes as in validation, whatever reads `preprocessing.json`."""

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform

from azeotrope.data.augmentation.resample import resample
from azeotrope.data.augmentation.views import PLAIN, Views, draw
from azeotrope.data.packing.pack_rows import squared
from azeotrope.errors import InputError
from azeotrope.exporting.preparation import Preparation, preparation_of, read_preparation, steps_of
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.load import load_network
from azeotrope.models.saved import SavedModel
from azeotrope.models.spec import ModelSpec
from azeotrope.recipe import ViewPolicy

PICTURES = {
    "portrait": (61, 190, 3),
    "larger than thrice the stored size": (700, 900, 3),
    "grey": (120, 80, 1),
    "smaller than the input": (9, 7, 3),
}


def picture(height, width, channels):
    """A smooth ramp with an edge and noise, so that every filter and rounding shows."""
    random = np.random.default_rng(height)
    ramp = np.linspace(0, 200, width)[None, :, None] + np.linspace(0, 40, height)[:, None, None]
    noisy = ramp + random.integers(0, 16, (height, width, channels))
    noisy[height // 3 :, width // 2 :] = 255 - noisy[height // 3 :, width // 2 :]
    return noisy.clip(0, 255).astype(np.uint8)


def how(look):
    return Preparation(
        size=look.size,
        steps=steps_of(look),
        value_range=None,
        mean=look.mean,
        std=look.std,
        kind="single",
        outputs=("logits", "probabilities"),
        classes=("a", "b"),
        unit=None,
        temperature=1.0,
    )


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(
    "look",
    [
        Preprocessing(64, stored_size=80),
        Preprocessing(64, stored_size=80, stored_channels=1),
        Preprocessing(64, stored_size=28, interpolation="bilinear"),
    ],
    ids=["shrunk", "grey", "enlarged"],
)
def test_pixels_of_earlier_versions_are_those_of_their_validation(name, look):
    given = picture(*PICTURES[name])
    packed = torch.from_numpy(squared(given, look.stored_size, look.stored_channels).copy())[None]
    plain = Views(torch.from_numpy(draw(ViewPolicy(), np.zeros(1, np.uint64), PLAIN).values))
    shown = resample(packed, plain, look.size, look.interpolation)[0].numpy()
    assert np.array_equal(how(look).pixels(given), np.broadcast_to(shown, (64, 64, 3)).transpose(2, 0, 1))


def test_what_is_written_is_read_back(tmp_path):
    asked = how(Preprocessing(64, stored_size=80, stored_channels=1))
    (tmp_path / "preprocessing.json").write_text(asked.model_dump_json())
    assert read_preparation(tmp_path) == asked


def test_a_bundle_of_another_version(tmp_path):
    text = how(Preprocessing(64, stored_size=80)).model_dump_json()
    (tmp_path / "preprocessing.json").write_text(text.replace('"format":1', '"format":2'))
    with pytest.raises(InputError, match=r"another version of azeotrope.*format 2.*export the model again"):
        read_preparation(tmp_path)


def test_a_file_away_from_its_bundle(tmp_path):
    with pytest.raises(InputError, match=r"used from its bundle.*no preprocessing\.json"):
        read_preparation(tmp_path)


def test_a_model_that_was_not_trained_here():
    loaded = load_network("test_resnet", 2, image_size=64, pretrained=False, seed=0)
    saved = SavedModel(loaded.network, ("a", "b"), Preprocessing(64), ModelSpec.parse("test_resnet"), {})
    with pytest.raises(InputError, match=r"neither resize nor stored_size in model\.yaml.*compare"):
        preparation_of(saved, 1.0)


def test_a_model_of_an_earlier_version_is_prepared_by_way_of_its_frames():
    steps = steps_of(Preprocessing(64, stored_size=80))
    assert [(step.size, step.filter, step.reducing_gap) for step in steps] == [
        (80, "bicubic", 3.0),
        (64, "bicubic", None),
    ]
    (step,) = steps_of(Preprocessing(64, interpolation="lanczos", resize="once"))
    assert (step.size, step.filter, step.reducing_gap) == (64, "bicubic", None)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("name", ["portrait", "larger than thrice the stored size", "smaller than the input"])
def test_one_resize_is_what_timm_does_for_evaluation(name, interpolation):
    """timm 1.0: `squash` resizes the whole picture to the model's size, by torchvision, which asks Pillow."""
    given = picture(*PICTURES[name])
    asked = {"interpolation": interpolation, "crop_pct": 1.0, "crop_mode": "squash", "mean": (0.0,), "std": (1.0,)}
    squash = create_transform(64, **asked)
    wanted = (squash(Image.fromarray(given)) * 255).round().to(torch.uint8).numpy()
    made = how(Preprocessing(64, interpolation=interpolation, resize="once")).pixels(given)
    np.testing.assert_array_equal(made, wanted)


def test_grey_is_pillows():
    given = picture(40, 50, 3)
    made = how(Preprocessing(8, stored_size=8, stored_channels=1)).pixels(given)
    assert np.array_equal(made[0], made[2])
    assert abs(int(made[0].mean()) - int(np.asarray(Image.fromarray(given).convert("L")).mean())) <= 2
