"""Pictures of phones (HEIC, HEIF), which libheif turns upright and gives with 8 bits."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image

from azeotrope.data.decoding.reading import Unreadable

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heic(raw: bytes) -> bool:
    """Whether these are the bytes of such a picture, and not of AVIF, which is built alike."""
    return raw[4:8] == b"ftyp" and raw[8:12] in _BRANDS and b"avif" not in raw[16:64]


def opened_heic(raw: bytes) -> Image.Image:
    """Its header. Raises Unreadable where the extra is not installed."""
    _register()
    return Image.open(io.BytesIO(raw), formats=("HEIF",))


@cache
def _register() -> None:
    try:
        import pillow_heif
    except ImportError:
        raise Unreadable("a HEIC picture: pip install 'azeotrope[heic]' reads it") from None
    pillow_heif.register_heif_opener()
