import dataclasses
import threading
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from azeotrope.data.augmentation.render import Renderer
from azeotrope.data.augmentation.views import PLAIN, Views, draw
from azeotrope.data.decoding.decode import decode
from azeotrope.data.packing.pack import open_pack, open_plain
from azeotrope.data.packing.pack_rows import frames_are_pictures, squared
from azeotrope.data.task import load_task
from azeotrope.errors import InputError, StoreError
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.models.backbone import Preprocessing
from azeotrope.recipe import ViewPolicy
from azeotrope.session.exports.predicting import _plain

from .pictures import encoded, noise, write_class_folders


@pytest.fixture
def photos(tmp_path):
    return load_task(str(write_class_folders(tmp_path / "photos", {"cat": 6, "dog": 6})))


def test_an_image_of_the_right_size_is_kept_pixel_by_pixel():
    pixels = noise(0, (9, 9, 3))
    np.testing.assert_array_equal(squared(pixels, 9, 3), pixels)


def test_a_picture_is_squeezed_whole():
    """The left third white, the rest black: so it stays, whatever the picture's shape."""
    pixels = np.zeros((20, 90, 3), np.uint8)
    pixels[:, :30] = 255
    row = squared(pixels, 30, 3)[15, :, 0]
    assert (row[:9] > 250).all()
    assert (row[11:] < 5).all()


def test_grey_pictures_fill_three_channels_where_others_have_colours():
    grey = noise(0, (8, 8, 1))
    np.testing.assert_array_equal(squared(grey, 8, 3), np.repeat(grey, 3, axis=2))
    assert squared(grey, 8, 1).shape == (8, 8, 1)


def test_a_pack_holds_what_the_files_hold(photos, tmp_path):
    pack = open_pack(photos, tmp_path / "cache", 64)
    rows = np.array([7, 2, 7])
    pack.ensure(rows)
    for row, stored in zip(rows, pack.read(rows).numpy(), strict=True):
        with Image.open(BytesIO(photos.source.read(row))) as image:
            expected = image.resize((16, 16), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(stored, np.asarray(expected))


@pytest.mark.parametrize(("wanted", "size"), [(8, 16), (13, 16), (1000, 16)])
def test_a_pack_is_never_larger_than_the_images(photos, tmp_path, wanted, size):
    """Images of 12x16 pixels; multiples of 8 that leave 15 % for crops."""
    assert open_pack(photos, tmp_path / "cache", wanted).size == size


def test_digits_are_stored_grey(digits, tmp_path):
    pack = open_pack(digits, tmp_path, 32)
    assert (pack.channels, pack.size) == (1, 8)
    rows = np.arange(20)
    pack.ensure(rows)
    np.testing.assert_array_equal(pack.read(rows).numpy()[..., 0], [digits.source.read(row) for row in rows])


def test_only_what_is_asked_for_is_decoded_and_only_once(photos, tmp_path):
    seen = []

    def read(row):
        seen.append(row)
        return photos.source.read(row)

    spied = dataclasses.replace(photos, source=dataclasses.replace(photos.source, read=read))
    for _ in range(2):
        open_pack(spied, tmp_path / "cache", 16).ensure(np.array([3, 1]))
    assert sorted(seen) == [1, 3]


def test_rows_that_were_not_ensured_cannot_be_read(photos, tmp_path):
    pack = open_pack(photos, tmp_path / "cache", 16)
    pack.ensure(np.array([0]))
    with pytest.raises(StoreError, match="1 of 2 rows are missing or differ from their checksum, first 1"):
        pack.read(np.array([0, 1]))


def test_other_images_are_another_pack(photos, tmp_path):
    other = load_task(str(write_class_folders(tmp_path / "others", {"cat": 6, "dog": 6}, start=50)))
    packs = [open_pack(task, tmp_path / "cache", 16) for task in (photos, other, photos)]
    assert packs[0].store.folder == packs[2].store.folder != packs[1].store.folder


def cut():
    return encoded(noise(1))[:-40]


def gone():
    raise FileNotFoundError(2, "No such file or directory")


def another():
    return encoded(noise(99))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(cut, "its content has changed since"), (gone, "No such file or directory"), (another, "has changed since")],
)
def test_a_file_that_changed_between_scan_and_packing_is_named(photos, tmp_path, content, reason):
    """It is the image's fault: not one word of the output folder. Its pixels never enter the pack."""
    broken = dataclasses.replace(photos, source=dataclasses.replace(photos.source, read=lambda row: content()))
    pack = open_pack(broken, tmp_path / "cache", 16)
    with pytest.raises(InputError) as refusal:
        pack.ensure(np.array([0]))
    assert str(refusal.value).startswith(
        f"The image {photos.manifest.keys[0]} could be read when the images were listed and now cannot. Found:"
    )
    assert reason in str(refusal.value)
    assert "what has changed is then read anew" in str(refusal.value)
    assert len(pack.store.missing(np.array([0]))) == 1


def test_a_file_that_changed_after_packing_is_packed_anew(tmp_path):
    """The old pixels stay in the old pack, which nothing opens any more."""
    folder = write_class_folders(tmp_path / "photos", {"cat": 6, "dog": 6})
    before = open_pack(load_task(str(folder)), tmp_path / "cache", 64)
    before.ensure(np.arange(12))
    (folder / "cat" / "0.png").write_bytes(another())
    task = load_task(str(folder))
    after = open_pack(task, tmp_path / "cache", 64)
    after.ensure(np.arange(12))
    row = task.manifest.keys.index("cat/0.png")
    assert after.store.folder != before.store.folder
    with Image.open(BytesIO(another())) as image:
        expected = np.asarray(image.resize((16, 16), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(after.read(np.array([row]))[0].numpy(), expected)


def test_images_are_decoded_side_by_side(photos, tmp_path, monkeypatch):
    """Two threads meet at a barrier inside `read`: one after the other they would wait for ever."""
    monkeypatch.setattr("azeotrope.data.packing.pack.processors", lambda: 2)
    both = threading.Barrier(2, timeout=5)

    def read(row):
        both.wait()
        return photos.source.read(row)

    watched = dataclasses.replace(photos, source=dataclasses.replace(photos.source, read=read))
    rows = np.arange(6)
    together = open_pack(watched, tmp_path / "cache", 16).decode(rows)
    np.testing.assert_array_equal(together, open_pack(photos, tmp_path / "cache", 16).decode(rows))


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_plain_pictures_are_resized_once(photos, tmp_path, kernel):
    plain = open_plain(photos, tmp_path / "cache", 10, kernel)
    rows = np.array([3, 0])
    plain.ensure(rows)
    for row, kept in zip(rows, plain.pixels(rows), strict=True):
        with Image.open(BytesIO(photos.source.read(row))) as image:
            expected = image.resize((10, 10), Image.Resampling[kernel.upper()])
        np.testing.assert_array_equal(kept, np.asarray(expected))
    assert plain.store.missing(np.arange(12)).tolist() == [1, 2, *range(4, 12)]


def test_plain_pictures_of_another_filter_or_size_are_another_pack(photos, tmp_path):
    asked = [(10, "bilinear"), (10, "bicubic"), (12, "bicubic"), (10, "lanczos")]
    folders = [open_plain(photos, tmp_path / "cache", size, kind).store.folder for size, kind in asked]
    assert len(set(folders)) == 3
    assert folders[1] == folders[3]  # as the renderer takes bicubic for it
    assert open_pack(photos, tmp_path / "cache", 10).store.folder not in folders


SQUARES = {"two sizes": [(16, 16), (12, 12)], "one size": [(16, 16), (16, 16)], "not square": [(16, 12), (16, 12)]}


@pytest.mark.parametrize(
    ("sizes", "fit", "wanted", "alone"),
    [
        ("one size", "squeeze", 32, True),
        ("one size", "squeeze", 16, True),
        ("one size", "squeeze", 4, False),  # frames of 8 pixels
        ("two sizes", "squeeze", 32, False),
        ("not square", "squeeze", 32, False),
        ("not square", "crop", 32, True),
        ("not square", "pad", 32, True),
    ],
)
def test_pictures_that_are_stored_as_they_are_need_no_second_pack(tmp_path, sizes, fit, wanted, alone):
    for place, name in enumerate("aabb" * 3):
        file = tmp_path / "set" / name / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(noise(place, (*SQUARES[sizes][place % 2], 3))))
    task = load_task(str(tmp_path / "set"), labels=LabelSpec(pixels=PixelSpec(fit=fit)))
    frames, plain = open_pack(task, tmp_path / "cache", wanted), open_plain(task, tmp_path / "cache", wanted, "bicubic")
    assert (plain == frames) == alone == frames_are_pictures(task.manifest, wanted)


@pytest.mark.parametrize("shape", [(6, 10, 3), (10, 6, 1), (7, 10, 5), (8, 8, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_crop_takes_the_middle_and_pad_puts_it_there(shape, dtype):
    pixels = (noise(0, shape).astype(dtype) + 1).clip(1)
    height, width, channels = shape
    small, large = min(height, width), max(height, width)
    top, left = (height - small) // 2, (width - small) // 2
    cropped = squared(pixels, small, channels, "crop")
    np.testing.assert_array_equal(cropped, pixels[top : top + small, left : left + small])
    padded = squared(pixels, large, channels, "pad")
    top, left = (large - height) // 2, (large - width) // 2
    np.testing.assert_array_equal(padded[top : top + height, left : left + width], pixels)
    assert np.count_nonzero(padded) == np.count_nonzero(pixels)


@pytest.mark.parametrize(("fit", "side"), [("squeeze", 40), ("crop", 24), ("pad", 40)])
def test_wide_pictures_are_packed_and_predicted_alike(tmp_path, fit, side):
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for place in range(4):
            file = tmp_path / "set" / name / f"{place}.png"
            file.write_bytes(encoded(noise(place + 9 * (name == "b"), (24, 40, 3))))
    task = load_task(str(tmp_path / "set"), labels=LabelSpec(pixels=PixelSpec(fit=fit)))
    assert task.manifest.side == side
    assert (task.fingerprint == load_task(str(tmp_path / "set")).fingerprint) == (fit == "squeeze")
    pack = open_pack(task, tmp_path / "cache", 32)
    pack.ensure(np.arange(8))
    look = Preprocessing(32, stored_size=pack.size, pixels=task.manifest.pixels)
    plain = draw(ViewPolicy(), np.zeros(8, np.uint64), PLAIN)
    views = Views(torch.from_numpy(plain.values))
    shown = Renderer(32, look.interpolation, look.mean, look.std)(pack.read(np.arange(8)), views)
    for row in range(8):
        alone = _plain(decode(task.source.read(row), look.reading).pixels, look)
        torch.testing.assert_close(alone[0], shown[row], rtol=0, atol=1e-5)
