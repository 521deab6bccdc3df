"""Pictures of many bands, of 16 bits and of floating point: every level is what NumPy says of the values written."""

import io
import pickle
import struct
import zlib
from itertools import product

import numpy as np
import pytest
import tifffile
from PIL import Image

from azeotrope.data.decoding.bands import upright
from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import Reading, Unreadable
from azeotrope.data.listing.thumbnail import as_picture
from azeotrope.data.packing.pack import open_pack, open_plain
from azeotrope.data.packing.pack_rows import squared
from azeotrope.data.task import load_task
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.spec import validated
from medical import dicom

from .pictures import encoded, noise

ALL = Reading(pixels=PixelSpec(bands="all"))
FINE = Reading((0, 65_535), PixelSpec(bands="all", bits=16))


def values(seed, shape=(20, 24, 5), dtype=np.uint16):
    return np.random.default_rng(seed).integers(0, 65_536, shape).astype(dtype)


def tiff(array, **how):
    file = io.BytesIO()
    tifffile.imwrite(file, array, **{"photometric": "minisblack", "planarconfig": "contig", **how})
    return file.getvalue()


def npy(array, **how):
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


def five_bands(folder, count=8, side=24, write=tiff, suffix="tif", dtype=np.uint16):
    """Two classes, of which the second is brighter in the fifth band; the arrays by path."""
    made = {}
    for place in range(count):
        name = ("dry", "wet")[place % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        array = values(place, (side, side, 5)) // 4
        array[..., 4] += np.uint16(40_000 * (place % 2))
        made[f"{name}/{place}.{suffix}"] = array = array.astype(dtype)
        (folder / name / f"{place}.{suffix}").write_bytes(write(array))
    return made


def bands_first(array):
    return np.ascontiguousarray(array.transpose(2, 0, 1))


WRITTEN = {
    "interleaved": tiff,
    "planar": lambda array: tiff(bands_first(array), planarconfig="separate"),
    "pages": lambda array: tiff(bands_first(array), planarconfig=None),
    "deflate": lambda array: tiff(array, compression="zlib"),
    "tiles": lambda array: tiff(array, tile=(16, 16)),
    "bigtiff": lambda array: tiff(array, bigtiff=True),
    "big endian": lambda array: tiff(array, byteorder=">"),
    "npy": npy,
    "npy, bands first": lambda array: npy(bands_first(array)),
    "npy, Fortran order": lambda array: npy(np.asfortranarray(array)),
    "npy, big endian": lambda array: npy(array.astype(">u2")),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_every_way_to_write_five_bands_gives_the_same_levels(how):
    array = values(0)
    decoded = decode(WRITTEN[how](array), FINE)
    np.testing.assert_array_equal(decoded.pixels, array)
    assert decoded.pixels.dtype == np.uint16
    eight = decode(WRITTEN[how](array), Reading((0, 65_535), PixelSpec(bands="all")))
    np.testing.assert_array_equal(eight.pixels, np.round(array / 257).astype(np.uint8))


def test_bands_of_8_bits_are_levels_already():
    array = noise(0, (20, 24, 5))
    np.testing.assert_array_equal(decode(tiff(array), ALL).pixels, array)
    np.testing.assert_array_equal(decode(tiff(array), FINE).pixels, array.astype(int) * 257)
    np.testing.assert_array_equal(decode(npy(array > 127), ALL).pixels, (array > 127) * 255)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32, np.float16])
def test_values_are_mapped_from_black_to_white(dtype):
    array = (values(1).astype(np.int32) % 2000 - 500).astype(dtype)
    for bits, peak in ((8, 255), (16, 65_535)):
        decoded = decode(npy(array), Reading((-100, 1100), PixelSpec(bands="all", bits=bits)))
        wanted = np.round((array.astype(float) + 100).clip(0, 1200) / 1200 * peak)
        np.testing.assert_array_equal(decoded.pixels, wanted)


def test_bands_are_taken_in_the_order_that_is_asked():
    array = values(2)
    reading = Reading((0, 65_535), PixelSpec(bands=(4, 3, 2), bits=16))
    np.testing.assert_array_equal(decode(tiff(array), reading).pixels, array[..., [3, 2, 1]])


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_a_grey_picture_are_kept(kind):
    array = values(3, (5, 6))
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(array), kind), FINE).pixels[..., 0], array)
    plain = Reading((0, 65_535), PixelSpec(bits=16))
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(array), kind), plain).pixels[..., 0], array)


def test_sixteen_bits_of_colour_are_kept_in_a_tiff_and_8_bits_are_spread():
    array = values(4, (5, 6, 3))
    reading = Reading((0, 65_535), PixelSpec(bits=16))
    np.testing.assert_array_equal(decode(tiff(array, photometric="rgb"), reading).pixels, array)
    colour = noise(5, (5, 6, 3))
    np.testing.assert_array_equal(decode(encoded(colour), reading).pixels, colour.astype(int) * 257)
    with pytest.raises(Unreadable, match="4 bands: --bands names those to be read, or all"):
        decode(tiff(values(4, (5, 6, 4)), photometric="rgb"), reading)


def test_transparent_16_bits_are_on_white_and_a_mended_file_is_read_too():
    layered = np.full((4, 5, 4), 0, np.uint16)
    layered[..., 0], layered[..., 3] = 40_000, 16_384
    header = struct.pack(">IIBBBBB", 5, 4, 16, 6, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in layered)
    raw = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )
    plain, share = Reading((0, 65_535), PixelSpec(bits=16)), 16_384 / 65_535
    red, rest = round(40_000 * share + 65_535 * (1 - share)), round(65_535 * (1 - share))
    assert decode(raw, plain).pixels[2, 3].tolist() == [red, rest, rest]
    photo = encoded(noise(0), "JPEG")
    np.testing.assert_array_equal(decode(photo[:-2], plain).pixels, decode(photo).pixels.astype(int) * 257)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_are_those_of_pillow(orientation):
    array = values(6, (4, 6, 5))
    turned = tiff(array, extratags=[(274, "H", 1, orientation, True)])
    exif = Image.Exif()
    exif[274] = orientation
    shown = decode(encoded((array[..., 0] >> 8).astype(np.uint8), exif=exif)).pixels
    np.testing.assert_array_equal(decode(turned, FINE).pixels[..., 0] >> 8, shown[..., 0])
    np.testing.assert_array_equal(upright(array, orientation), decode(turned, FINE).pixels)


BAD = {
    "pickled objects": (npy(np.array([{}, "a"], dtype=object), allow_pickle=True), "Python objects: loading it could"),
    "a bare pickle": (pickle.dumps([1]), "not an image, or a format that is not read"),
    "not a number": (npy(np.full((4, 5), np.nan)), "pixels that are no finite numbers"),
    "infinite": (tiff(np.full((4, 5, 5), np.inf, np.float32)), "pixels that are no finite numbers"),
    "one axis": (npy(np.zeros(5)), r"shape \[5\]: \[H, W\], \[H, W, bands\] or \[bands, H, W\] is read"),
    "ambiguous": (npy(np.zeros((5, 5, 5))), r"\[5, 5, 5\]: bands may come first or last"),
    "many bands": (
        npy(np.zeros((64, 65, 200), bool)),
        r"\[64, 65, 200\]: bands may come .* at most a quarter of the rows",
    ),
    "a strip": (npy(np.zeros((4, 500, 5), bool)), r"\[4, 500, 5\]: bands may come first or last"),
    "complex": (npy(np.zeros((4, 5), complex)), "an array of complex128, not of real numbers"),
    "text": (npy(np.array([["a"]])), "not of real numbers"),
    "empty": (npy(np.zeros((0, 5))), r"\[0, 5\] holds no pixels"),
    "cut off": (npy(values(0))[:200], "damaged: "),
    "cut off TIFF": (tiff(values(0))[:200], "damaged: "),
    "a stack": (tiff(np.zeros((3, 4, 5, 2)), metadata={"axes": "ZYXS"}), r"axes ZYXS \[3, 4, 5, 2\]: a stack"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_picture_is_refused_with_its_reason(what):
    raw, reason = BAD[what]
    with pytest.raises(Unreadable, match=reason):
        decode(raw, ALL)


def test_a_header_that_announces_too_much_is_not_believed():
    whole = npy(np.zeros((4, 5)))
    header = whole.replace(b"(4, 5), ", b"(4, 5*9", 1)
    with pytest.raises(Unreadable, match="damaged"):
        decode(header, ALL)
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (99_999, 99_999)})
    with pytest.raises(Unreadable, match=r"its header announces an array of .99999, 99999. float64"):
        decode(file.getvalue(), ALL)


@pytest.mark.parametrize("kind", ["npy", "tiff", "dicom"])
def test_too_many_pixels_are_refused_before_any_is_decoded(kind, monkeypatch):
    """The limit is lowered to 100 pixels; what would decode them must not be asked."""

    def decoding(*_, **__):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr("azeotrope.data.decoding.reading.MAX_PIXELS", 100)
    monkeypatch.setattr("numpy.load", decoding)
    monkeypatch.setattr("tifffile.TiffPageSeries.asarray", decoding)
    monkeypatch.setattr("azeotrope.data.decoding.dicom._pixels", decoding)
    raw = {"npy": npy(values(0)), "tiff": tiff(values(0)), "dicom": dicom(values(0, (20, 24)))}[kind]
    with pytest.raises(Unreadable, match=r"24 x 20 pixels: more than 100"):
        decode(raw, Reading(pixels=PixelSpec(bands="all", formats=("dicom",))))


def test_only_what_was_asked_is_in_the_fingerprint():
    """A field that comes later must not change these: sets are found again by them."""
    assert PixelSpec(bands="all", bits=16).model_dump(mode="json") == {"bands": "all", "bits": 16}
    assert PixelSpec(bands=(4, 3, 2)).digest() == "7e54f1bfec38a800"
    assert PixelSpec().model_dump() == {}


def test_without_bands_a_file_of_bands_says_how_it_is_read():
    for raw in (tiff(values(0)), npy(values(0))):
        with pytest.raises(Unreadable, match=r"an array, or a TIFF of other bands .* read it with --bands all"):
            decode(raw)


def test_a_codec_that_is_missing_is_named(monkeypatch):
    def refused(*_, **__):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPageSeries, "asarray", refused)
    with pytest.raises(Unreadable, match=r"a TIFF compressed by LZW: pip install 'azeotrope\[bands\]' \(imagecodecs\)"):
        decode(tiff(values(0)), ALL)


def test_without_tifffile_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tifffile", None)
    with pytest.raises(Unreadable, match=r"pip install 'azeotrope\[bands\]'"):
        decode(tiff(values(0)), ALL)


def test_a_band_that_is_not_there_is_named():
    with pytest.raises(Unreadable, match=r"there is no band 6: it has 5 \(--bands\)"):
        decode(tiff(values(0)), Reading(pixels=PixelSpec(bands=(1, 6))))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"value_range": (5, 5)}, "black must lie below white"),
        ({"value_range": (9, 5)}, "black must lie below white"),
        ({"value_range": "median"}, "percentile"),
        ({"pixels": {"bands": (0, 1)}}, "numbers from 1"),
        ({"pixels": {"bands": (2, 2)}}, "each once"),
        ({"pixels": {"bands": ()}}, "numbers from 1"),
        ({"pixels": {"bits": 12}}, "8 or 16"),
    ],
)
def test_wrong_options_are_refused(asked, reason):
    with pytest.raises(InputError) as refused:
        validated(LabelSpec, asked)
    assert reason in str(refused.value)


def test_what_is_asked_in_the_old_way_keeps_its_hash():
    plain = LabelSpec(value_range=(0, 4095))
    assert "pixels" not in plain.model_dump()
    assert (
        plain.digest() == LabelSpec(value_range=(0, 4095), pixels=PixelSpec()).digest() == "abc165bc4d23d04c"
    )  # as 0.1.0 hashed it


def read(folder, **asked):
    return load_task(str(folder), labels=LabelSpec(**asked), held_out=0.25)


@pytest.mark.parametrize(("write", "suffix"), [(tiff, "tif"), (npy, "npy")])
def test_a_folder_of_five_bands_is_packed_to_the_level(tmp_path, write, suffix):
    made = five_bands(tmp_path / "set", write=write, suffix=suffix)
    task = read(tmp_path / "set", value_range=(0, 65_535), pixels=PixelSpec(bands="all", bits=16))
    assert task.manifest.bands == task.manifest.in_channels == 5
    assert task.manifest.readable.all()
    pack, rows = open_pack(task, tmp_path / "cache", 64), np.arange(8)
    pack.ensure(rows)
    wanted = np.stack([made[key] for key in task.manifest.keys])
    np.testing.assert_array_equal(pack.read(rows).numpy(), wanted)
    np.testing.assert_array_equal(pack.showing((5, 1, 3)).pixels(rows), wanted[..., [4, 0, 2]])


def test_sixteen_bits_of_five_bands_are_resized_once_in_single_precision(tmp_path):
    made = five_bands(tmp_path / "set")
    task = read(tmp_path / "set", value_range=(0, 65_535), pixels=PixelSpec(bands="all", bits=16))
    plain, rows = open_plain(task, tmp_path / "cache", 5, "bicubic"), np.arange(4)
    plain.ensure(rows)
    for row, kept in zip(rows, plain.pixels(rows), strict=True):
        for band in range(5):
            plane = Image.fromarray(made[task.manifest.keys[row]][..., band].astype(np.float32))
            wanted = np.rint(np.asarray(plane.resize((5, 5), Image.Resampling.BICUBIC))).clip(0, 65_535)
            np.testing.assert_array_equal(kept[..., band], wanted)


def test_how_files_are_read_is_part_of_the_set(tmp_path):
    five_bands(tmp_path)
    asked = [{"bands": "all"}, {"bands": (1, 2)}, {"bands": (2, 1)}, {"bands": "all", "bits": 16}]
    prints = {read(tmp_path, value_range=(0, 65_535), pixels=PixelSpec(**each)).fingerprint for each in asked}
    assert len(prints) == 4


def test_the_percentile_range_is_that_of_numpy_on_training_files(tmp_path):
    made = five_bands(tmp_path, dtype=np.float32)
    task = read(tmp_path, value_range="percentile", pixels=PixelSpec(bands="all"))
    trained = [made[task.manifest.keys[row]].astype(float) for row in task.splits.train]
    assert 0 < len(trained) < len(made)
    low = np.quantile([np.quantile(array, 0.005) for array in trained], 0.01)
    high = np.quantile([np.quantile(array, 0.995) for array in trained], 0.99)
    np.testing.assert_allclose(task.manifest.value_range, (low, high), rtol=1e-12)
    assert task.manifest.words[0].count(f"{low:g} is black") == 1


@pytest.mark.parametrize("split", ["test", "val"])
def test_brighter_files_that_are_held_out_move_no_percentile_range(tmp_path, split):
    """The scale is part of what is learnt: images that judge must not set it."""
    for folder, gain in (("plain", 1), ("bright", 50)):
        for name in ("train", split):
            for label, place in product(("dry", "wet"), range(6)):
                into = tmp_path / folder / name / label
                into.mkdir(parents=True, exist_ok=True)
                array = values(place + 10 * (label == "wet") + 100 * (name != "train"), (24, 24, 5)).astype(np.float32)
                np.save(into / f"{place}.npy", array * (gain if name != "train" else 1))
    plain, bright = (
        read(tmp_path / folder, value_range="percentile", pixels=PixelSpec(bands="all")).manifest
        for folder in ("plain", "bright")
    )
    assert plain.value_range == bright.value_range


def test_bands_that_differ_between_files_are_refused(tmp_path):
    five_bands(tmp_path)
    (tmp_path / "dry" / "odd.tif").write_bytes(tiff(values(0, (12, 12, 4))))
    with pytest.raises(InputError) as refused:
        read(tmp_path, pixels=PixelSpec(bands="all"))
    assert str(refused.value).startswith("All files of a set must have the same bands")
    assert "5 in 8 files (dry/0.tif), 4 in 1 files (dry/odd.tif)" in refused.value.found
    task = read(tmp_path, value_range=(0, 65_535), pixels=PixelSpec(bands=(1, 4)))
    assert task.manifest.readable.all()
    assert task.manifest.bands == 2


def test_a_set_without_the_band_says_so(tmp_path):
    five_bands(tmp_path)
    with pytest.raises(InputError, match="no band 6: it has 5"):
        read(tmp_path, pixels=PixelSpec(bands=(6,)))


def test_a_teacher_cannot_look_at_a_band_that_is_not_read(tmp_path):
    five_bands(tmp_path)
    manifest = read(tmp_path, value_range=(0, 65_535), pixels=PixelSpec(bands=(5, 3, 1, 2))).manifest
    assert manifest.places_of((1, 2, 5)) == (2, 3, 0)
    with pytest.raises(InputError) as refused:
        manifest.places_of((4, 3, 2))
    assert refused.value.found == "band 4"
    assert refused.value.allowed == "5, 3, 1, 2"


def test_arrays_beside_pictures_are_passed_over_unless_bands_are_asked(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for place in range(4):
            (tmp_path / name / f"{place}.png").write_bytes(encoded(noise(place + 9 * (name == "b"))))
            (tmp_path / name / f"{place}.npy").write_bytes(npy(noise(place + 90 * (name == "b"), (12, 16, 3))))
    assert len(read(tmp_path).manifest.keys) == 8
    assert any("add --bands all if they are pictures" in word for word in read(tmp_path).words)
    assert len(read(tmp_path, pixels=PixelSpec(bands="all")).manifest.keys) == 16


@pytest.mark.parametrize("bands", [2, 4, 5])
def test_squeezing_many_bands_is_that_of_each_alone(bands):
    """Of four bands Pillow would take the last for alpha."""
    pixels = noise(7, (40, 30, bands))
    alone = [squared(np.ascontiguousarray(pixels[..., [band]]), 12, 1) for band in range(bands)]
    np.testing.assert_array_equal(squared(pixels, 12, bands), np.concatenate(alone, axis=2))


def test_squeezing_16_bits_is_that_of_8_bits_between_its_levels():
    pixels = noise(8, (40, 30, 3))
    fine = squared(pixels.astype(np.uint16) * 257, 12, 3)
    assert fine.dtype == np.uint16
    np.testing.assert_allclose(fine / 257, squared(pixels, 12, 3), atol=1.01)
    assert (fine % 257).any()


def test_a_person_is_shown_the_first_three_bands():
    pixels = values(9)
    np.testing.assert_array_equal(as_picture(pixels), pixels[..., :3] >> 8)
    assert as_picture(pixels[..., :2]).shape == (20, 24, 1)
