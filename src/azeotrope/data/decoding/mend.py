"""Files whose pixels are whole though a reader trips over something beside them: long texts, a missing end.

Nothing is guessed: a JPEG counts as whole only when all its scans are there and more bytes at its end change no pixel.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

LONG_TEXT = "long_text"
NO_END = "no_end_marker"

_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"tRNS", b"eXIf")  # beside the critical chunks: what changes how the pixels are shown
_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_SOS, _PROGRESSIVE = 0xDA, 0xC2
_FRAMES = (0xC0, 0xC1, _PROGRESSIVE)
_FREQUENCIES = 64
_NOISE = np.random.default_rng(0).integers(0, 255, 4096).astype(np.uint8).tobytes()  # without 0xFF: no marker


def mended(raw: bytes) -> tuple[bytes, str] | None:
    """The same picture in a file that can be read, and what was wrong; None where nothing can be done."""
    if raw.startswith(_PNG):
        plain = _without_text(raw)
        return (plain, LONG_TEXT) if plain is not None and plain != raw else None
    if raw.startswith(_JPEG):
        ended = _ended(raw)
        return (ended, NO_END) if ended is not None else None
    return None


def _without_text(raw: bytes) -> bytes | None:
    """The PNG without texts and profiles; None where a chunk of pixels is cut off."""
    kept = [_PNG]
    for kind, chunk in _chunks(raw):
        if chunk is None:
            return None if kind[:1].isupper() else b"".join([*kept, _end_of_png()])
        if kind[:1].isupper() or kind in _KEPT:
            kept.append(chunk)
        if kind == b"IEND":
            return b"".join(kept)
    return b"".join([*kept, _end_of_png()])


def _chunks(raw: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Each chunk's kind and bytes; None for the last one where it is cut off."""
    place = len(_PNG)
    while place + 8 <= len(raw):
        (length,) = struct.unpack_from(">I", raw, place)
        end = place + 12 + length
        yield raw[place + 4 : place + 8], raw[place:end] if end <= len(raw) else None
        place = end


def _end_of_png() -> bytes:
    return struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


def _ended(raw: bytes) -> bytes | None:
    """The JPEG with its end marker; None where scans or a part of the last one are missing."""
    body = raw.removesuffix(b"\xff")
    if raw.endswith(_JPEG_END) or not _all_scans(body):
        return None
    try:
        ended = body + _JPEG_END
        with (
            Image.open(io.BytesIO(ended), formats=("JPEG",)) as one,
            Image.open(io.BytesIO(body + _NOISE + _JPEG_END), formats=("JPEG",)) as other,
        ):
            return ended if one.tobytes() == other.tobytes() else None
    except Exception:  # it is damaged in another way: the first reason stands
        return None


def _all_scans(raw: bytes) -> bool:
    """Whether every component has been sent; in a progressive file every coefficient of it, to its last bit."""
    frame, components = 0, 0
    whole: dict[int, set[int]] = {}
    for marker, content in _segments(raw):
        if marker in _FRAMES and len(content) > 5:
            frame, components = marker, content[5]
        elif marker == _SOS and content and len(content) >= 4 + 2 * (count := content[0]):
            first, last, bits = content[1 + 2 * count : 4 + 2 * count]
            sent = range(first, last + 1) if bits & 0x0F == 0 else ()
            for component in content[1 : 1 + 2 * count : 2]:
                whole.setdefault(component, set()).update(sent)
    every = frame != _PROGRESSIVE or all(len(sent) == _FREQUENCIES for sent in whole.values())
    return every and 0 < components == len(whole)


def _segments(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers with what follows their length; entropy-coded data is passed over."""
    place = 2
    while (place := raw.find(b"\xff", place)) >= 0 and place + 4 <= len(raw):
        marker = raw[place + 1]
        if marker in (0x00, 0xFF) or 0xD0 <= marker <= 0xD9:
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", raw, place + 2)
        yield marker, raw[place + 4 : place + 2 + length]
        place += 2 + length
