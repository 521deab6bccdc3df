"""Bytes of any image file in, upright pixels out, or the reason why not. What had to be changed is noted.

It does not resize. The header is judged before any pixel is decoded, so a forged size costs nothing.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import UInt
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from azeotrope.data.decoding.bands import NPY, array_in, chosen, is_tiff, opaque, upright
from azeotrope.data.decoding.deep import (
    FEW_LEVELS,
    Values,
    eight_bit,
    measured,
    plain_range,
    sixteen_bit,
    unknown_range,
)
from azeotrope.data.decoding.dicom import WINDOWED, is_dicom, medical
from azeotrope.data.decoding.foreign import POINTERS_AND_PAGES, called_by_name
from azeotrope.data.decoding.heic import is_heic, opened_heic
from azeotrope.data.decoding.mend import mended
from azeotrope.data.decoding.profiles import in_srgb
from azeotrope.data.decoding.reading import AS_PICTURES, Reading, Unreadable, check_size, too_large
from azeotrope.labels import Format, PixelSpec

_EXIF_ORIENTATION = 0x0112
_TIFF_BITS = 258
_PNG_BITS_AT = 24  # in the IHDR chunk, which must come first
_TURNED = range(2, 9)  # orientations that are not upright
_Pixels = NDArray[np.uint8] | NDArray[np.uint16]
_Scale = Callable[[NDArray[np.generic], Values], _Pixels]

# What cameras and the web write. Left out on purpose: EPS and other formats for which Pillow starts other programs.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "ICO")

# The formats in which a second frame is another picture of a sequence; in a phone's JPEG (MPO) and in ICO it is the
# same picture again.
_SEQUENCES = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")

# Pillow warns of a large header before we have seen it. We refuse it with a reason of our own, so the warning says
# nothing new; filters cannot be changed per thread, hence once, here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # of tags; what is damaged gets a reason


@dataclass(frozen=True)
class Decoded:
    """Pixels [H, W, C], uint8 or, where a reading asks for 16 bits, uint16; C is 1 (grey) or 3, or the number of bands
    that a reading asks for. And what was done to get them: "exif_rotated", "exif_damaged", "alpha",
    "palette", "cmyk", "sixteen_bit", "deep" (32 bits), "animated", "long_text", "no_end_marker". `values` are those of
    a file of more than 8 bits.
    """

    pixels: UInt[np.ndarray, "H W C"]
    notes: tuple[str, ...] = ()
    values: Values | None = None


def decode(raw: bytes | NDArray[np.uint8], reading: Reading = AS_PICTURES, *, own: bool = False) -> Decoded:
    """The image in a file's bytes, or in an array [H, W], [H, W, 1] or [H, W, 3].

    Transparent parts are shown on white, as nearly every viewer and web page shows them: what the labeller saw. Of
    several frames the first is taken. Where `reading` names bands, those of the file are given as they lie there. With
    `own` what a file of more than 8 bits holds is its range, from the lowest value to the highest. Raises Unreadable.
    """
    scale = partial(_scaled, reading=reading, own=own)
    if isinstance(raw, np.ndarray):
        return Decoded(_checked_array(raw)) if reading.plain else _levels(_checked_array(raw), reading, scale)
    if not raw:
        raise Unreadable("the file is empty")
    asked = reading.pixels
    _check_format(raw, asked)
    if is_dicom(raw):
        return _of_dicom(raw, reading, scale, own=own)
    if asked.bands is not None or asked.bits != 8:
        try:
            return _finely(raw, reading, scale)
        except Exception as error:
            raise _unreadable(error, raw) from error
    read = partial(_read, scale=scale, srgb=asked.colours == "srgb")
    try:
        return read(raw)
    except Exception as error:
        reason = _unreadable(error, raw)
        whole = mended(raw) if not isinstance(error, Unreadable) else None
        if whole is None:
            raise reason from error
    try:
        decoded = read(whole[0])
    except Exception:  # the first reason stands
        raise reason from None
    return replace(decoded, notes=(*decoded.notes, whole[1]))


def _check_format(raw: bytes, asked: PixelSpec) -> None:
    """Refuse a format that is read only where it is asked for, whatever is installed. Raises Unreadable."""
    found: Format | None = "dicom" if is_dicom(raw) else "heic" if is_heic(raw) else None
    if found and found not in asked.formats:
        raise Unreadable(f"a file of {found.upper()}, which is read where a set is opened with --formats {found}")


def _of_dicom(raw: bytes, reading: Reading, scale: _Scale, *, own: bool) -> Decoded:
    """A medical picture by its own window, or by the range where one is given or the file has no window."""
    found = medical(raw)
    windowed = found.window is not None
    if windowed and reading.value_range is None and not own:
        scale = partial(_scaled, reading=replace(reading, value_range=found.window), own=False)
    decoded = _levels(found.values, reading, scale)
    pixels = np.invert(decoded.pixels) if found.inverted else decoded.pixels
    notes = {WINDOWED: windowed, "animated": found.frames > 1}
    return replace(decoded, pixels=pixels, notes=tuple(note for note, holds in notes.items() if holds))


def _finely(raw: bytes, reading: Reading, scale: _Scale) -> Decoded:
    """With the bands and the bits that are asked for."""
    bands = reading.pixels.bands
    if (bands or raw.startswith(NPY)) and (array := array_in(raw)) is not None:
        return _levels(array, reading, scale)
    with _opened(raw) as image:
        bits, (orientation, note) = _deep_bits(image, raw), _orientation(image)
        deep = _deep_pixels(image, raw) if bits else None
        if deep is not None:
            deep = upright(opaque(deep.reshape(*deep.shape[:2], -1)), orientation)
        elif bits and is_tiff(raw):
            deep = array_in(raw)
    if deep is not None:
        return replace(_levels(deep, reading, scale), notes=(note,) if note else ())
    plain = decode(raw, Reading(pixels=PixelSpec(formats=reading.pixels.formats)))
    return replace(_levels(plain.pixels, reading, scale), notes=plain.notes)


def _levels(array: NDArray[np.generic], reading: Reading, scale: _Scale) -> Decoded:
    """The bands that are asked for as levels of 8 or 16 bits; values of 8 bits are levels already."""
    check_size(array.shape[1], array.shape[0])
    array = chosen(array, reading.pixels.bands) if reading.pixels.bands else array
    if not reading.pixels.bands and array.shape[2] not in (1, 3):
        raise Unreadable(f"{array.shape[2]} bands: --bands names those to be read, or all")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.dtype == np.uint8:
        return Decoded(array.astype(np.uint16) * 257 if reading.pixels.bits == 16 else array)
    if not np.isfinite(array).all():
        raise Unreadable("pixels that are no finite numbers")
    values = measured(array)
    return Decoded(scale(array, values), values=values)


def _read(raw: bytes, scale: _Scale, *, srgb: bool = False) -> Decoded:
    with _opened(raw) as image:
        return _decoded(image, raw, scale, srgb=srgb)


def _opened(raw: bytes) -> Image.Image:
    """The header of a picture; nothing is decoded yet."""
    image = opened_heic(raw) if is_heic(raw) else Image.open(io.BytesIO(raw), formats=_FORMATS)
    check_size(image.width, image.height)
    return image


def _unreadable(error: Exception, raw: bytes) -> Unreadable:
    if isinstance(error, Unreadable):
        return error
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return Unreadable(too_large("its header announces too many pixels"))
    if isinstance(error, UnidentifiedImageError):
        if told := called_by_name(raw, POINTERS_AND_PAGES):
            return Unreadable(f"{told[0]}: {told[1]}")
        if raw.startswith(NPY) or is_tiff(raw):
            return Unreadable("an array, or a TIFF of other bands than grey or colour: read it with --bands all")
        return Unreadable("not an image, or a format that is not read")
    # Pillow's parsers raise whatever a broken file makes them raise (struct, zlib, Index, Value ...)
    return Unreadable(f"damaged: {str(error) or type(error).__name__}")


def _checked_array(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.dtype != np.uint8 or grey.ndim != 3 or grey.shape[2] not in (1, 3):
        raise Unreadable(f"an array of {pixels.dtype} {list(pixels.shape)}, not uint8 [H, W] or [H, W, 3]")
    check_size(grey.shape[1], grey.shape[0])
    return grey


def _decoded(image: Image.Image, raw: bytes, scale: _Scale, *, srgb: bool) -> Decoded:
    notes = []
    if image.format in _SEQUENCES and getattr(image, "n_frames", 1) > 1:
        notes.append("animated")
        image.seek(0)
    bits = _deep_bits(image, raw)
    if bits:
        notes.append("sixteen_bit" if bits == 16 else "deep")
    orientation, note = _orientation(image)
    if note:
        notes.append(note)
    values = None
    if bits and (deep := _deep_pixels(image, raw)) is not None:
        values = measured(deep)
        image = Image.fromarray(scale(deep, values), *(("LA",) if deep.ndim == 3 and deep.shape[2] == 2 else ()))
    elif bits:
        _refuse_cut(image)
    elif srgb:
        image, note = in_srgb(image)
        notes += [note] if note else []
    plain, changes = _eight_bit(image)
    pixels = np.array(plain)
    return Decoded(upright(pixels.reshape(*pixels.shape[:2], -1), orientation), (*notes, *changes), values)


def _orientation(image: Image.Image) -> tuple[int, str]:
    """How the pixels that Pillow gives lie, and a note on the file. Only the orientation is asked for: another tag may
    be of a wrong type.
    """
    try:
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # whatever a damaged block makes the parser raise; viewers show the picture as it lies
        return 1, "exif_damaged"
    if not isinstance(orientation, int) or orientation not in _TURNED:
        return 1, ""
    lies = isinstance(image, TiffImagePlugin.TiffImageFile)  # Pillow turns these itself when it reads the pixels
    return 1 if lies else orientation, "exif_rotated"


def _deep_bits(image: Image.Image, raw: bytes) -> int:
    """16 or 32 where pixels have more than 8 bits; also for colour, which Pillow cuts to 8 bits without a word."""
    if image.format == "PNG":
        return 16 if is_deep_png(raw) else 0
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        most = max(image.tag_v2.get(_TIFF_BITS, (8,)))
        return most if most > 8 else 0
    return 32 if image.mode in ("I", "F") else 16 if image.mode.startswith("I") else 0


def is_deep_png(raw: bytes) -> bool:
    """Whether the header of a PNG says 16 bits."""
    return raw[_PNG_BITS_AT] == 16


def _deep_pixels(image: Image.Image, raw: bytes) -> NDArray[np.generic] | None:
    """All bits, [H, W] or [H, W, C]; None where Pillow gives the highest eight only."""
    if image.mode.startswith("I") or image.mode == "F":
        return np.asarray(image)
    if image.format != "PNG":
        return None
    import torch
    from torchvision.io import ImageReadMode, decode_png  # slow to import, and needed for such files only

    decoded = decode_png(torch.frombuffer(bytearray(raw), dtype=torch.uint8), ImageReadMode.UNCHANGED)
    return np.ascontiguousarray(decoded.permute(1, 2, 0).numpy())


def _refuse_cut(image: Image.Image) -> None:
    """Colour of more than 8 bits in a TIFF: the lower bits are lost, which matters where the upper are not used."""
    if int(np.asarray(image.convert("RGB")).max()) < FEW_LEVELS:
        raise Unreadable("16-bit colour of which the upper 4 bits are not used: save it with 8 bits, or as PNG")


def _scaled(pixels: NDArray[np.generic], values: Values, *, reading: Reading, own: bool) -> _Pixels:
    span = reading.value_range
    if not (np.isfinite(values.lowest) and np.isfinite(values.highest)):
        raise Unreadable("pixels that are no finite numbers")
    if span is None and own:
        span = (values.lowest, max(values.highest, values.lowest + 1e-9))
    span = span or plain_range([values])
    if span is None:
        raise Unreadable(unknown_range(values))
    return (eight_bit if reading.pixels.bits == 8 else sixteen_bit)(pixels, span)


def _eight_bit(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """As mode L or RGB, and the notes on the way."""
    mode = image.mode
    if mode in ("L", "RGB") and "transparency" not in image.info:
        return image, []
    if mode == "1":
        return image.convert("L"), []
    notes = ["palette"] if mode in ("P", "PA") else ["cmyk"] if mode == "CMYK" else []
    if image.has_transparency_data:
        return _on_white(image), [*notes, "alpha"]
    return image.convert("RGB"), notes


def _on_white(image: Image.Image) -> Image.Image:
    layered = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return flat.convert("L" if image.mode in ("L", "LA", "La") else "RGB")
