import io
import tracemalloc

import numpy as np
import pytest
import tifffile
from PIL import Image

from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import Reading, Unreadable
from azeotrope.labels import PixelSpec

from .pictures import encoded, noise, png_header


def test_a_plain_file_gives_its_own_pixels_and_no_notes():
    pixels = noise(0)
    decoded = decode(encoded(pixels))
    np.testing.assert_array_equal(decoded.pixels, pixels)
    assert decoded.notes == ()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_an_array_passes_through_with_a_channel_axis(shape):
    pixels = noise(0, shape)
    np.testing.assert_array_equal(decode(pixels).pixels, pixels.reshape(5, 7, -1))


def test_grey_stays_one_channel():
    assert decode(encoded(noise(0, (4, 6)))).pixels.shape == (4, 6, 1)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_rotation_is_undone(orientation):
    """The EXIF standard's table: what a stored picture must go through to stand upright."""
    upright = noise(1, (8, 4, 3))
    stored = {
        2: np.fliplr(upright),
        3: np.rot90(upright, 2),
        4: np.flipud(upright),
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(np.ascontiguousarray(stored), exif=exif))
    np.testing.assert_array_equal(decoded.pixels, upright)
    assert decoded.notes == ("exif_rotated",)


def test_transparent_parts_are_white():
    layered = np.dstack([np.full((2, 3, 3), 100, np.uint8), np.array([[0, 255, 51]] * 2, np.uint8)])
    decoded = decode(encoded(layered))
    # alpha 51/255 = 0.2: 0.2 * 100 + 0.8 * 255 = 224
    np.testing.assert_allclose(decoded.pixels[0, :, 0], [255, 100, 224], atol=1)
    assert decoded.notes == ("alpha",)


def test_grey_with_alpha_stays_grey():
    image = Image.merge("LA", [Image.fromarray(noise(0, (4, 4))), Image.new("L", (4, 4), 0)])
    decoded = decode(encoded(image))
    assert decoded.pixels.shape == (4, 4, 1)
    assert (decoded.pixels == 255).all()


def test_a_palette_becomes_its_colours():
    image = Image.fromarray(noise(0)).quantize(16)
    decoded = decode(encoded(image))
    np.testing.assert_array_equal(decoded.pixels, np.asarray(image.convert("RGB")))
    assert decoded.notes == ("palette",)


def test_a_palette_with_a_transparent_colour_counts_as_both():
    image = Image.new("P", (3, 3), 0)
    image.putpalette([10, 20, 30])
    decoded = decode(encoded(image, transparency=0))
    assert (decoded.pixels == 255).all()
    assert decoded.notes == ("palette", "alpha")


def test_cmyk_becomes_rgb():
    decoded = decode(encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG"))
    red = decoded.pixels[0, 0]
    assert red[0] > 230 > 25 > max(red[1:])
    assert decoded.notes == ("cmyk",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight(kind):
    values = np.array([[0, 257, 32_896, 65_535]], dtype=np.uint16)
    decoded = decode(encoded(values, kind))
    np.testing.assert_array_equal(decoded.pixels[0, :, 0], [0, 1, 128, 255])
    assert decoded.notes == ("sixteen_bit",)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("bands", [1, 3])
def test_a_tiff_is_turned_once(bits, orientation, dtype, bands):
    """Pillow turns it while it reads."""
    levels = np.random.default_rng(0).integers(0, 256, (4, 6, bands))
    stored = (levels * (257 if dtype == np.uint16 else 1)).astype(dtype)
    file = io.BytesIO()
    how = {"photometric": "rgb" if bands == 3 else "minisblack", "extratags": [(274, "H", 1, orientation, True)]}
    tifffile.imwrite(file, stored if bands == 3 else stored[..., 0], **how)
    decoded = decode(file.getvalue(), Reading((0, 65_535), PixelSpec(bits=bits)))
    upright = np.rot90(levels, {3: 2, 6: -1}[orientation])
    np.testing.assert_array_equal(decoded.pixels, upright * (257 if bits == 16 else 1))
    assert "exif_rotated" in decoded.notes


def test_one_bit_is_black_and_white():
    decoded = decode(encoded(Image.fromarray(np.eye(4, dtype=bool))))
    np.testing.assert_array_equal(decoded.pixels[..., 0], 255 * np.eye(4, dtype=np.uint8))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    first, second = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    decoded = decode(
        encoded(first, kind, save_all=True, append_images=[second], **({"lossless": True} if kind == "WEBP" else {}))
    )
    np.testing.assert_array_equal(decoded.pixels, np.broadcast_to([255, 0, 0], (4, 4, 3)))
    assert "animated" in decoded.notes


def test_a_decompression_bomb_is_refused_without_memory():
    tracemalloc.start()
    with pytest.raises(Unreadable, match="decompression bomb"):
        decode(png_header(50_000, 50_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_header_just_above_the_limit_names_its_size():
    with pytest.raises(Unreadable, match=r"10000 x 10000 pixels: more than 89,478,485"):
        decode(png_header(10_000, 10_000))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_truncated_file_is_unreadable(kind, share):
    whole = encoded(noise(0, (64, 64, 3)), kind)
    with pytest.raises(Unreadable, match=r"damaged|not an image"):
        decode(whole[: int(share * len(whole))])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", "a web page"),
        (b"notes on the pictures", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
        (png_header(0, 10), "damaged|no pixels|not an image"),
        (np.zeros((0, 4), np.uint8), r"it has no pixels \(4 x 0\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 \[4, 4, 4\], not uint8 \[H, W\]"),
        (np.zeros((4, 4), np.float32), "an array of float32"),
        (encoded(Image.fromarray(np.full((4, 4), -0.5, np.float32)), "TIFF"), "values from -0.5 to -0.5, whose range"),
        (
            encoded(Image.fromarray(np.full((4, 4), 70_000, np.int32)), "TIFF"),
            "from 70000 to 70000, whose range is not",
        ),
        (encoded(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"), "no finite numbers"),
    ],
)
def test_what_cannot_be_used_has_a_reason(raw, reason):
    with pytest.raises(Unreadable, match=reason):
        decode(raw)
