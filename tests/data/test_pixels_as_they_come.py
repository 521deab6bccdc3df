"""Picture files as people have them: values of more than 8 bits, and sound pictures that a reader trips over."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import Unreadable
from azeotrope.data.packing.pack import open_pack
from azeotrope.data.task import load_task
from azeotrope.labels import LabelSpec

from .inputs import picture, read, said
from .pictures import encoded, noise, smooth


def deep_set(root, values, kind="PNG"):
    """Two classes of six pictures each; `values(number)` are the pixels."""
    for name in ("disc", "rod"):
        (root / name).mkdir(parents=True)
        for number in range(6):
            pixels = values(np.random.default_rng([number, len(name)]).integers(0, 256, (24, 24)))
            (root / name / f"{number}.{kind.lower()}").write_bytes(encoded(Image.fromarray(pixels), kind))
    return root


def packed(root, cache, **labels):
    task = load_task(str(root), labels=LabelSpec(**labels))
    pack = open_pack(task, cache, 24)
    return pack.decode(np.arange(12))


class TestValues:
    @pytest.mark.parametrize(("bits", "factor"), [(8, 1), (12, 16), (16, 257)])
    @pytest.mark.parametrize(("kind", "dtype"), [("PNG", np.uint16), ("TIFF", np.uint16), ("TIFF", np.int32)])
    def test_the_range_that_a_set_uses_becomes_black_and_white(self, tmp_path, bits, factor, kind, dtype):
        wide = deep_set(tmp_path / "set", lambda plain: (plain * factor).astype(dtype), kind)
        plain = deep_set(tmp_path / "plain", lambda plain: plain.astype(np.uint8))
        pixels, wanted = packed(wide, tmp_path / "cache"), packed(plain, tmp_path / "cache")
        assert np.abs(pixels.astype(int) - wanted).max() <= 1
        words = said(wide)
        assert ("is white (--range)" in words) == (bits != 16)

    def test_a_dark_picture_of_a_bright_set_stays_dark(self, tmp_path):
        deep_set(tmp_path, lambda plain: (plain * 257).astype(np.uint16))
        dark = np.full((24, 24), 200, np.uint16)
        (tmp_path / "rod" / "dark.png").write_bytes(encoded(Image.fromarray(dark)))
        task = load_task(str(tmp_path))
        row = task.manifest.keys.index("rod/dark.png")
        assert decode(task.source.read(row), task.manifest.reading).pixels.max() <= 1

    def test_an_asked_range_is_taken_and_is_another_set(self, tmp_path):
        root = deep_set(tmp_path / "set", lambda plain: (plain + 1000).astype(np.uint16))
        pixels = packed(root, tmp_path / "cache", value_range=(1000, 1255))
        assert (pixels.min(), pixels.max()) == (0, 255)
        asked = load_task(str(root), labels=LabelSpec(value_range=(1000, 1255)))
        assert asked.fingerprint != load_task(str(root)).fingerprint

    @pytest.mark.parametrize(("low", "high"), [(-100, 155), (0, 70_000)])
    def test_a_range_that_is_not_plain_is_asked_for(self, tmp_path, low, high):
        root = deep_set(tmp_path, lambda plain: np.interp(plain, (0, 255), (low, high)).astype(np.int32), "TIFF")
        found = read(root)
        assert "name them with --range LOW,HIGH" in " ".join(found.manifest.words)
        assert all("--range LOW,HIGH names it" in reason for reason in found.manifest.reasons.values())
        assert read(root, value_range=(low, high)).manifest.readable.all()

    def test_floating_point_between_0_and_1(self, tmp_path):
        root = deep_set(tmp_path / "set", lambda plain: (plain / 255).astype(np.float32), "TIFF")
        plain = deep_set(tmp_path / "plain", lambda plain: plain.astype(np.uint8))
        difference = packed(root, tmp_path / "cache").astype(int) - packed(plain, tmp_path / "cache")
        assert np.abs(difference).max() <= 1

    def test_few_levels_are_said(self, tmp_path):
        def one_hot_pixel(plain):
            wide = plain.astype(np.uint16)
            wide[0, 0] = 65_535
            return wide

        assert "of 256 levels: name a smaller range" in said(deep_set(tmp_path, one_hot_pixel))

    def test_colour_keeps_its_lower_bits(self):
        values = np.random.default_rng(0).integers(0, 256, (6, 5, 3))

        def chunk(kind, content):
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        header = struct.pack(">IIBBBBB", 5, 6, 16, 2, 0, 0, 0)
        file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        np.testing.assert_array_equal(decode(file).pixels, values)


class TestSoundPictures:
    @pytest.mark.parametrize("zip_", [True, False])
    def test_a_png_with_megabytes_of_text(self, zip_):
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", "history " * 250_000, zip=zip_)
        decoded = decode(encoded(picture("bolt", 0), pnginfo=text))
        np.testing.assert_array_equal(decoded.pixels, np.asarray(picture("bolt", 0)))

    def test_a_png_with_a_large_profile(self):
        file = encoded(picture("bolt", 0), icc_profile=b"\0" * 3_000_000)
        np.testing.assert_array_equal(decode(file).pixels, np.asarray(picture("bolt", 0)))

    def test_a_png_without_its_end(self):
        file = encoded(picture("bolt", 0))
        np.testing.assert_array_equal(decode(file[:-12]).pixels, np.asarray(picture("bolt", 0)))

    @pytest.mark.parametrize(
        "tag", [(0x011A, 2, 4, b"72\0\0"), (0x0128, 2, 4, b"no\0\0"), (0x8769, 2, 4, b"\xff\xff\xff\xff")]
    )
    def test_a_bad_exif_tag_beside_an_orientation(self, tag):
        number, kind, count, value = tag
        entries = struct.pack("<HHIHHHHI4s", 0x0112, 3, 1, 6, 0, number, kind, count, value)
        exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4)
        photo = Image.fromarray(smooth(0)[:, :60])
        lying = decode(encoded(photo.rotate(90, expand=True), "JPEG", quality=95, exif=exif))
        assert lying.notes == ("exif_rotated",)
        assert np.abs(lying.pixels.astype(int) - np.asarray(photo)).mean() < 3

    def test_exif_that_is_no_exif_is_passed_over(self):
        decoded = decode(encoded(picture("bolt", 0), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40))
        assert decoded.pixels.shape == (40, 40, 3)

    @pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0, "quality": 60}])
    @pytest.mark.parametrize("end", [1, 2])
    def test_a_jpeg_without_its_end_marker(self, options, end):
        whole = encoded(smooth(3), "JPEG", **options)
        decoded = decode(whole[:-end])
        np.testing.assert_array_equal(decoded.pixels, decode(whole).pixels)
        assert decoded.notes == ("no_end_marker",)

    @pytest.mark.parametrize("options", [{}, {"progressive": True}])
    @pytest.mark.parametrize("lost", [3, 10, 200, 0.3, 0.6])
    @pytest.mark.parametrize("pixels", [noise(0, (64, 64, 3)), smooth(3)])
    def test_a_jpeg_of_which_a_part_is_missing_is_damaged(self, options, lost, pixels):
        whole = encoded(pixels, "JPEG", **options)
        kept = len(whole) - (lost if isinstance(lost, int) else int(lost * len(whole)))
        with pytest.raises(Unreadable, match=r"damaged|not an image"):
            decode(whole[:kept])

    def test_bytes_changed_at_random_never_raise_anything_else(self):
        random = np.random.default_rng(7)
        for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"):
            whole = np.frombuffer(encoded(smooth(1, 32), kind), np.uint8)
            for _ in range(25):
                broken = whole.copy()
                broken[random.integers(0, len(broken), 8)] = random.integers(0, 256, 8)
                with contextlib.suppress(Unreadable):
                    assert decode(broken.tobytes()[: random.integers(1, len(broken))]).pixels.dtype == np.uint8


def test_half_a_class_lost_is_said_by_class_with_its_reason(tmp_path):
    for kind in ("bolt", "nut"):
        (tmp_path / kind).mkdir()
        for number in range(10):
            file = io.BytesIO()
            picture(kind, number).save(file, "PNG")
            content = b"" if kind == "bolt" and number < 5 else file.getvalue()
            (tmp_path / kind / f"{number}.png").write_bytes(content)
    assert "5 unreadable images were left out: 5 of 10 of bolt: the file is empty" in said(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "a Git LFS pointer, not the file itself",
        ),
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "a web page: fetch the file itself"),
    ],
)
def test_files_that_are_no_pictures_are_called_by_their_name(content, words):
    with pytest.raises(Unreadable, match=words):
        decode(content)
