"""`run.py` on profiles, pictures of phones and colour of 16 bits: from the file to the input and answer of predict."""

import io
import json
import runpy
import struct
import subprocess
import sys
import zlib

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image

import azeotrope
from azeotrope.data.decoding.decode import decode
from azeotrope.data.task import load_task
from azeotrope.exporting.preparation import read_preparation
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.session.exports.export_images import sample_of
from data.test_formats import by_hand, profile

SIDE = 32
HUES = ((220, 90, 60), (70, 160, 90), (80, 90, 210))


def colours(place, side=SIDE):
    """A smooth picture of the hue of class `place % 3`, brighter to one corner."""
    rise = np.linspace(0.5, 1, side)[:, None, None] * np.linspace(0.6, 1, side)[None, :, None]
    random = np.random.default_rng(place)
    return (rise * HUES[place % 3] * random.uniform(0.8, 1) + random.uniform(0, 9, (side, side, 3))).astype(np.uint8)


def written(folder, write, count=60):
    for place in range(count):
        into = folder / f"hue {place % 3}"
        into.mkdir(parents=True, exist_ok=True)
        write(into / str(place), colours(place))
    return folder


def deep_png(path, values):
    """Colour of 16 bits, which Pillow does not write: by the PNG specification, one filter byte a row."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width, bands = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6, 2: 4}[bands], 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def run_of(bundle, *words):
    return subprocess.run([sys.executable, bundle / "run.py", *words], capture_output=True, text=True, check=False)


def bundle_of(distilled, folder, pixels):
    model = distilled(folder, train_images=30, labels=LabelSpec(pixels=pixels))
    return model, azeotrope.export(model, to="onnx", max_drop=1.0)


@pytest.fixture(scope="module")
def wide(tmp_path_factory, distilled):
    """JPEG in Display P3, read as sRGB."""

    def write(path, pixels):
        Image.fromarray(pixels).save(path.with_suffix(".jpg"), icc_profile=profile(), quality=95)

    folder = written(tmp_path_factory.mktemp("wide"), write)
    return folder, *bundle_of(distilled, folder, PixelSpec(colours="srgb"))


def same_words(model, made, file):
    """`run.py` says of the file what `predict` says, by the network and by the exported file."""
    done = run_of(made.folder, "--check", file)
    assert done.stderr == ""
    assert done.stdout.count("as verified") == 3
    (found,), (network,) = azeotrope.predict(made.folder / "model.onnx", file), azeotrope.predict(model, file)
    assert found.classes == network.classes
    words = ", ".join(f"{n} {100 * p:.1f} %" for n, p in zip(found.classes, found.probabilities, strict=True))
    assert done.stdout.splitlines()[-1] == f"{file}: {words}"


def test_a_colour_profile_goes_from_the_file_to_the_same_answer(wide):
    folder, model, made = wide
    same_words(model, made, next(folder.glob("*/*.jpg")))
    assert len(list((made.folder / "samples").glob("*.jpeg"))) == 3


def pictures(folder):
    """Files whose profile, mode or place of alpha a conversion could get wrong."""
    pixels = colours(7)
    turned = Image.Exif()
    turned[0x0112] = 6
    alpha = np.dstack([pixels, np.full((SIDE, SIDE), 90, np.uint8)])
    plain = Image.fromarray(pixels)
    saved = {
        "p3.png": (plain, {"icc_profile": profile()}),
        "turned.jpg": (plain, {"icc_profile": profile(), "exif": turned}),
        "none.png": (plain, {}),
        "own.png": (plain, {"icc_profile": profile("sRGB of ours")}),
        "damaged.png": (plain, {"icc_profile": b"no profile at all"}),
        "alpha.png": (Image.fromarray(alpha), {"icc_profile": profile()}),
        "palette.png": (plain.quantize(16), {"icc_profile": profile()}),
        "key.png": (plain, {"icc_profile": profile(), "transparency": tuple(pixels[0, 0].tolist())}),
        "grey.png": (plain.convert("L"), {"icc_profile": profile()}),
    }
    for name, (image, how) in saved.items():
        image.save(folder / name, **how)
    for name, deep, more in (("deep.tif", pixels, {}), ("clear.tif", alpha, {"extrasamples": ["unassalpha"]})):
        tag = (34675, "B", len(profile()), profile(), True)  # its profile, which training does not apply to 16 bits
        tifffile.imwrite(folder / name, deep.astype(np.uint16) * 257, photometric="rgb", extratags=[tag], **more)
    return [*(folder / name for name in saved), folder / "deep.tif", folder / "clear.tif"]


def test_run_py_converts_every_kind_of_file_to_the_level(wide, tmp_path):
    """The input of `run.py` is that of `predict`, level by level; and the conversion is that of the closed form."""
    made = wide[2]
    program, how = runpy.run_path(str(made.folder / "run.py")), read_preparation(made.folder)
    asked = json.loads((made.folder / "preprocessing.json").read_text())
    for file in pictures(tmp_path):
        wanted = how.pixels(decode(file.read_bytes(), how.reading).pixels)
        np.testing.assert_array_equal(program["prepared"](file, asked)[0], wanted, err_msg=file.name)
    shown = program["opened"](tmp_path / "p3.png", asked)
    np.testing.assert_allclose(shown, by_hand(colours(7)), atol=1.5)
    assert np.abs(shown.astype(int) - colours(7)).max() > 5


def test_a_pillow_without_little_cms_says_what_reads_the_file(wide, tmp_path):
    pictures(tmp_path)
    program = runpy.run_path(str(wide[2].folder / "run.py"))
    asked = json.loads((wide[2].folder / "preprocessing.json").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PIL.features.check", lambda name: False)
        with pytest.raises(ValueError, match="lacks Little CMS, is not read here: `azeotrope predict model"):
            program["prepared"](tmp_path / "p3.png", asked)
        assert program["prepared"](tmp_path / "none.png", asked).shape == (1, 3, SIDE, SIDE)


@pytest.fixture(scope="module")
def phones(tmp_path_factory, distilled):
    def write(path, pixels):
        pillow_heif.from_pillow(Image.fromarray(pixels)).save(path.with_suffix(".heic"), quality=-1)

    folder = written(tmp_path_factory.mktemp("phones"), write)
    return folder, *bundle_of(distilled, folder, PixelSpec(formats=("heic",)))


def test_pictures_of_phones_are_exported_and_run_py_says_what_reads_them(phones, tmp_path):
    """Their samples are PNG of the decoded pixels, which `run.py` answers as `predict` answers the HEIC."""
    folder, model, made = phones
    file = next(folder.glob("*/*.heic"))
    png = tmp_path / "same.png"
    Image.fromarray(decode(file.read_bytes(), read_preparation(made.folder).reading).pixels).save(png)
    same_words(model, made, png)
    (of_heic,), (of_png,) = (azeotrope.predict(made.folder / "model.onnx", each) for each in (file, png))
    assert of_heic.probabilities == of_png.probabilities
    done = run_of(made.folder, file)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        [f"{file}: cannot be read: a HEIC file is not read here: `azeotrope predict model.onnx FILE` reads it"],
    )


def test_avif_of_a_general_brand_is_no_heic(phones):
    """Both are boxes of `ftyp`; `mif1` is the brand of either, and the list behind it tells them apart."""
    told = runpy.run_path(str(phones[2].folder / "run.py"))["_ELSEWHERE"]["heic"]
    assert told(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic")
    assert not told(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif")


@pytest.mark.parametrize("colours_asked", ["stored", "srgb"])
def test_samples_that_had_to_be_mended_are_given_mended(colours_asked, tmp_path):
    """Pillow refuses a JPEG without its end, which training reads: `run.py` gets the pixels."""

    def write(path, pixels):
        Image.fromarray(pixels).save(path.with_suffix(".jpg"), icc_profile=profile(), quality=95)
        whole = path.with_suffix(".jpg").read_bytes()
        path.with_suffix(".jpg").write_bytes(whole.removesuffix(b"\xff\xd9"))

    task = load_task(str(written(tmp_path, write, 12)), labels=LabelSpec(pixels=PixelSpec(colours=colours_asked)))
    name, content = sample_of(task, 0)
    assert name == "picture.png"
    decoded = decode(task.source.read(0), task.manifest.reading)
    assert decoded.notes[-1] == "no_end_marker"
    with Image.open(io.BytesIO(content)) as picture:
        np.testing.assert_array_equal(np.asarray(picture), decoded.pixels)
        assert "icc_profile" not in picture.info


@pytest.mark.parametrize("bands", [3, 4, 2], ids=["colour", "colour and alpha", "grey and alpha"])
def test_colour_of_16_bits_is_refused_by_a_plain_model_too(exported, bands, tmp_path):
    """Values of 12 bits: their high bytes are nearly black, and `predict` spreads them by the range of the training."""
    values = np.random.default_rng(0).integers(0, 4_096, (SIDE, SIDE, bands))
    file = deep_png(tmp_path / "deep.png", values)
    with Image.open(file) as cut:
        assert np.asarray(cut).max() < 16
    done = run_of(exported.folder, file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{file}: cannot be read: a PNG of 16-bit colour, of which Pillow gives 8 bits, is not read here: "
        "`azeotrope predict model.onnx FILE` reads it"
    ]


def test_a_dark_tiff_of_16_bit_colour_is_refused_as_predict_refuses_it(exported, tmp_path):
    file, bright = tmp_path / "dark.tif", tmp_path / "bright.tif"
    values = np.random.default_rng(0).integers(0, 4_096, (SIDE, SIDE, 3)).astype(np.uint16)
    tifffile.imwrite(file, values, photometric="rgb")
    tifffile.imwrite(bright, values * 16, photometric="rgb")
    done = run_of(exported.folder, file, bright)
    dark, light = azeotrope.predict(exported.folder / "model.onnx", [file, bright])
    assert done.stderr == f"{file}: cannot be read: {dark.problem}\n"
    assert done.stdout.startswith(f"{bright}: {light.classes[0]} {100 * light.probabilities[0]:.1f} %")


def test_a_set_of_16_bit_colour_is_exported_and_its_samples_are_inputs(distilled, tmp_path):
    folder = written(
        tmp_path / "deep", lambda path, pixels: deep_png(path.with_suffix(".png"), pixels.astype(np.uint16) * 257)
    )
    _, made = bundle_of(distilled, folder, PixelSpec())
    names = sorted(file.name for file in (made.folder / "samples").iterdir())
    assert not any(name.endswith(".png") for name in names), names
    assert run_of(made.folder, "--check").stdout.count("as verified") == 3
