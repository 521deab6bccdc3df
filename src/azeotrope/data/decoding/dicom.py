"""Medical pictures (DICOM) as values: rescaled as the file says, with its own window where it has one.

Only pixels leave this module. What else a file says, such as a patient's name, is neither given nor put into an error.
Overlays are not drawn.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.decoding.deep import Range
from azeotrope.data.decoding.reading import Unreadable, check_size

WINDOWED = "dicom_window"  # the note on a file that has one
_MARK_AT = 128
# Where an enhanced file of several frames keeps what others have at the top: DICOM PS3.3, C.7.6.16
_FRAMES = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
_RESCALED_IN, _WINDOW_IN = "PixelValueTransformationSequence", "FrameVOILUTSequence"
_LINEAR = ("", "LINEAR")
_EXACT = "LINEAR_EXACT"
warnings.filterwarnings("ignore", module=r"pydicom\.")  # they quote what stands in the file


@dataclass(frozen=True)
class Medical:
    """Values [H, W, 1], or colour uint8 [H, W, 3]; `window` are those of black and white as the file asks for them, and
    `inverted` says that the lowest value is white. Of so many `frames` these values are the first.
    """

    values: NDArray[Any]
    window: Range | None
    inverted: bool
    frames: int = 1


def is_dicom(raw: bytes) -> bool:
    """Whether these are the bytes of a DICOM file."""
    return raw[_MARK_AT : _MARK_AT + 4] == b"DICM"


def medical(raw: bytes) -> Medical:
    """What is in a DICOM file, of several frames the first. Raises Unreadable; no reason quotes the file."""
    try:
        import pydicom
    except ImportError:
        raise Unreadable("a DICOM file: pip install 'azeotrope[dicom]' reads it") from None
    try:
        file = pydicom.dcmread(io.BytesIO(raw))
    except Exception:  # pydicom raises what a broken file makes it raise
        raise _damaged() from None
    if "PixelData" not in file:
        raise Unreadable("a DICOM file without a picture")
    try:
        width, height = int(file.Columns), int(file.Rows)
    except Exception:  # missing, or no number
        raise _damaged() from None
    check_size(width, height)
    values = _pixels(file)
    try:
        return _shown(file, values)
    except Exception:  # a tag of a wrong type or number
        raise _damaged() from None


def _pixels(file: Any) -> NDArray[Any]:
    """The stored values of the first frame, colour as RGB."""
    from pydicom.pixels.utils import pixel_array

    syntax = getattr(getattr(file, "file_meta", None), "TransferSyntaxUID", None)
    try:
        pixels: NDArray[Any] = pixel_array(file, index=0)
    except Exception:
        if syntax is not None and syntax.is_compressed:
            raise Unreadable(
                f"a DICOM file compressed as {syntax.name}, of which no decoder is installed or that is damaged: "
                "pip install pylibjpeg[all], or save it uncompressed"
            ) from None
        raise _damaged() from None
    return pixels


def _shown(file: Any, pixels: NDArray[Any]) -> Medical:
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

    kind, frames = str(file.PhotometricInterpretation), int(file.get("NumberOfFrames") or 1)
    if kind == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, file)
    if pixels.ndim == 3:
        bits = 8 * pixels.dtype.itemsize if kind == "PALETTE COLOR" else int(file.BitsStored)  # of a palette: its own
        return Medical((pixels >> max(0, bits - 8)).astype(np.uint8), None, inverted=False, frames=frames)
    if not int(file.PixelRepresentation):  # above the stored bits old files keep overlays
        pixels = pixels & pixels.dtype.type((1 << int(file.BitsStored)) - 1)
    values = np.asarray(apply_modality_lut(pixels, _of_first_frame(file, _RESCALED_IN)), np.float64)
    window = _window(_of_first_frame(file, _WINDOW_IN))
    return Medical(values[..., None], window, inverted=kind == "MONOCHROME1", frames=frames)


def _of_first_frame(file: Any, group: str) -> Any:
    """Where tags of this group stand: of the first frame, of all frames (both in an enhanced file), or in the file."""
    for frames in _FRAMES:
        for first in list(file.get(frames) or ())[:1]:
            for found in list(first.get(group) or ())[:1]:
                return found
    return file


def _window(file: Any) -> Range | None:
    """The first window of the file: DICOM PS3.3, C.11.2.1.2."""
    function = str(file.get("VOILUTFunction", "") or "")
    centre, width = (_first(file.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None or function not in (*_LINEAR, _EXACT):
        return None
    if function == _EXACT:
        return (centre - width / 2, centre + width / 2) if width > 0 else None
    return (centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2) if width > 1 else None


def _first(value: Any) -> float | None:
    several = getattr(value, "__iter__", None) is not None and not isinstance(value, str)
    found = next(iter(value), None) if several else value
    return None if found is None else float(found)


def _damaged() -> Unreadable:
    return Unreadable("damaged: a DICOM file that cannot be read")
