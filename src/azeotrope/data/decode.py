"""Bytes of any image file in, upright 8-bit pixels out, or the reason why not. What had to be changed is noted.

It does not resize. The header is judged before any pixel is decoded, so a forged size costs nothing.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

MAX_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a gigabyte at 24 bits
_EXIF_ORIENTATION = 0x0112
_TIFF_BITS = 258
_PNG_BITS_AT = 24  # in the IHDR chunk, which must come first

# What cameras and the web write. Left out on purpose: EPS and other formats for which Pillow starts other programs.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "ICO")

# The formats in which a second frame is another picture of a sequence; in a phone's JPEG (MPO) and in ICO it is the
# same picture again.
_SEQUENCES = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")

# Pillow warns of a large header before we have seen it. We refuse it with a reason of our own, so the warning says
# nothing new; filters cannot be changed per thread, hence once, here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class Unreadable(Exception):  # noqa: N818 (a finding to be counted, not an error to be shown)
    """An image that cannot be used; `str()` is the reason."""


@dataclass(frozen=True)
class Decoded:
    """Pixels uint8 [H, W, C], C 1 (grey) or 3, and what was done to get them: "exif_rotated", "alpha", "palette",
    "cmyk", "sixteen_bit", "animated".
    """

    pixels: UInt8[np.ndarray, "H W C"]
    notes: tuple[str, ...] = ()


def decode(raw: bytes | NDArray[np.uint8]) -> Decoded:
    """The image in a file's bytes, or in an array [H, W], [H, W, 1] or [H, W, 3].

    Transparent parts are shown on white, as nearly every viewer and web page shows them: what the labeller saw.
    16-bit values are scaled by 1/257. Of several frames the first is taken. Raises Unreadable.
    """
    if isinstance(raw, np.ndarray):
        return Decoded(_checked_array(raw))
    if not raw:
        raise Unreadable("the file is empty")
    try:
        with Image.open(io.BytesIO(raw), formats=_FORMATS) as image:
            _check_size(image.width, image.height)
            return _decoded(image, raw)
    except Unreadable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(_too_large("its header announces too many pixels")) from error
    except UnidentifiedImageError as error:
        raise Unreadable("not an image, or a format that is not read") from error
    except (
        Exception
    ) as error:  # Pillow's parsers raise whatever a broken file makes them raise (struct, zlib, Index, Value ...)
        raise Unreadable(f"damaged: {str(error) or type(error).__name__}") from error


def _checked_array(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.dtype != np.uint8 or grey.ndim != 3 or grey.shape[2] not in (1, 3):
        raise Unreadable(f"an array of {pixels.dtype} {list(pixels.shape)}, not uint8 [H, W] or [H, W, 3]")
    _check_size(grey.shape[1], grey.shape[0])
    return grey


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise Unreadable(f"it has no pixels ({width} x {height})")
    if width * height > MAX_PIXELS:
        raise Unreadable(_too_large(f"{width} x {height} pixels"))


def _too_large(found: str) -> str:
    return f"{found}: more than {MAX_PIXELS:,} (a decompression bomb?)"


def _decoded(image: Image.Image, raw: bytes) -> Decoded:
    notes = []
    if image.format in _SEQUENCES and getattr(image, "n_frames", 1) > 1:
        notes.append("animated")
        image.seek(0)
    if _is_sixteen_bit(image, raw):
        notes.append("sixteen_bit")
    upright = image
    if image.getexif().get(_EXIF_ORIENTATION, 1) != 1:
        notes.append("exif_rotated")
        upright = ImageOps.exif_transpose(image)
    plain, changes = _eight_bit(upright)
    pixels = np.array(plain)
    return Decoded(pixels.reshape(*pixels.shape[:2], -1), (*notes, *changes))


def _is_sixteen_bit(image: Image.Image, raw: bytes) -> bool:
    """Also for colour, which Pillow cuts to 8 bits without a word."""
    if image.format == "PNG":
        return raw[_PNG_BITS_AT] == 16
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 16 in image.tag_v2.get(_TIFF_BITS, ())
    return image.mode.startswith("I")


def _eight_bit(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """As mode L or RGB, and the notes on the way."""
    mode = image.mode
    if mode in ("L", "RGB") and "transparency" not in image.info:
        return image, []
    if mode == "1":
        return image.convert("L"), []
    if mode.startswith("I"):
        return _scaled(image), []
    if mode == "F":
        raise Unreadable("floating-point pixels, whose range is not known")
    notes = ["palette"] if mode in ("P", "PA") else ["cmyk"] if mode == "CMYK" else []
    if image.has_transparency_data:
        return _on_white(image), [*notes, "alpha"]
    return image.convert("RGB"), notes


def _scaled(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise Unreadable("32-bit pixels, whose range is not known")
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    layered = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return flat.convert("L" if image.mode in ("L", "LA", "La") else "RGB")
