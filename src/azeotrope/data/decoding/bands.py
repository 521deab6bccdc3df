"""Files that hold arrays: TIFF of any number of bands and `.npy`, with all their bits.

The bands of a file lie last in what is given, [H, W, bands]. Nothing is scaled here, and nothing in a file is run: an
array of Python objects is refused.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.decoding.reading import Unreadable, check_size

NPY = b"\x93NUMPY"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF
_ORIENTATION = 274
_NEEDS = "a TIFF whose bands Pillow does not read: pip install 'azeotrope[bands]'"
_CLEAR = 4  # so many times more rows and columns than bands tell the axis of the bands
_MOST_BYTES = 2**31  # of one file's values: a header that announces more is not believed


def is_tiff(raw: bytes) -> bool:
    """Whether these are the bytes of a TIFF."""
    return raw.startswith(_TIFF)


def array_in(raw: bytes) -> NDArray[Any] | None:
    """The values [H, W, bands] in a TIFF, upright, or in a `.npy`; None for a file of another format. Raises Unreadable
    for one that holds no picture, and what the libraries raise for one that is damaged.
    """
    if raw.startswith(NPY):
        return _of_npy(raw)
    return _of_tiff(raw) if is_tiff(raw) else None


def chosen(array: NDArray[Any], bands: tuple[int, ...] | str) -> NDArray[Any]:
    """These bands of [H, W, bands], numbered from 1. Raises Unreadable for one that is not there."""
    if isinstance(bands, str):
        return array
    there = array.shape[2]
    if missing := [band for band in bands if band > there]:
        raise Unreadable(f"there is no band {missing[0]}: it has {there} (--bands)")
    return np.ascontiguousarray(array[..., [band - 1 for band in bands]])


def bands_are_last(shape: tuple[int, ...]) -> bool:
    """Whether [H, W, bands] of this shape is read so where nothing but the shape says it."""
    rows, columns, bands = shape
    return _CLEAR * bands <= min(rows, columns)


def opaque(deep: NDArray[Any]) -> NDArray[Any]:
    """Grey or colour of 16 bits on white, where the last channel is alpha."""
    if deep.shape[2] in (1, 3):
        return deep
    values = deep.astype(np.float64)
    share = values[..., -1:] / 65_535
    shown: NDArray[np.float64] = np.round(values[..., :-1] * share + 65_535 * (1 - share))
    return shown.astype(np.uint16)


def upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """[H, W, ...] turned as EXIF and TIFF number orientations; 1, or any other number, leaves it."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _of_npy(raw: bytes) -> NDArray[Any]:
    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(file)
    if dtype.hasobject:
        raise Unreadable("an array of Python objects: loading it could run code. Save numbers: array.astype('float32')")
    _check(shape, dtype)
    order = _bands_last(shape)
    check_size(shape[order[1]], shape[order[0]])
    array: NDArray[Any] = np.load(io.BytesIO(raw), allow_pickle=False)
    return np.ascontiguousarray(array.transpose(order)).reshape(*(shape[axis] for axis in order[:2]), -1)


def _bands_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes in the order rows, columns, bands. Raises Unreadable where they are not clear."""
    if len(shape) == 2:
        return (0, 1)
    said = f"an array of shape {list(shape)}"
    if len(shape) != 3:
        raise Unreadable(f"{said}: [H, W], [H, W, bands] or [bands, H, W] is read")
    first, middle, last = shape
    if bands_are_last(shape):
        return (0, 1, 2)
    if _CLEAR * first <= min(middle, last):
        return (1, 2, 0)
    raise Unreadable(
        f"{said}: bands may come first or last. It is clear where they are at most a quarter of the rows and of the "
        "columns; save others as TIFF, which names its axes"
    )


def _of_tiff(raw: bytes) -> NDArray[Any]:
    try:
        import tifffile
    except ImportError:
        raise Unreadable(_NEEDS) from None
    try:
        with tifffile.TiffFile(io.BytesIO(raw)) as file:
            if not file.series:
                raise Unreadable("a TIFF without a picture")
            series = file.series[0]
            _check(series.shape, series.dtype)
            if "Y" in series.axes and "X" in series.axes:
                check_size(*(series.shape[series.axes.index(axis)] for axis in "XY"))
            tag = file.pages.first.tags.get(_ORIENTATION)
            array = _by_axes(np.asarray(series.asarray()), series.axes)
            return upright(array, int(tag.value) if tag else 1)
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        how = str(error).partition(" requires")[0].strip("<>").rpartition(".")[2].partition(":")[0]
        raise Unreadable(
            f"a TIFF compressed by {how}: pip install 'azeotrope[bands]' (imagecodecs), or save it with Deflate"
        ) from None


def _by_axes(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """Axes named as tifffile names them, Y and X and at most one more that is longer than 1, as [H, W, bands]."""
    if "Y" not in axes or "X" not in axes:
        raise Unreadable(f"a TIFF with the axes {axes}, which is no picture")
    more = [place for place, name in enumerate(axes) if name not in "YX" and array.shape[place] > 1]
    if len(more) > 1 or any(axes[place] in "ZT" for place in more):
        raise Unreadable(f"a TIFF with the axes {axes} {list(array.shape)}: a stack is no picture; save each slice")
    order = [axes.index("Y"), axes.index("X"), *more]
    rest = [place for place in range(array.ndim) if place not in order]
    moved = array.transpose(*order, *rest)
    return moved.reshape(*moved.shape[:2], -1)


def _check(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse what is no picture, before any value is read."""
    if dtype.kind not in "buif":
        raise Unreadable(f"an array of {dtype}, not of real numbers")
    if math.prod(shape) * dtype.itemsize > _MOST_BYTES:
        raise Unreadable(f"its header announces an array of {list(shape)} {dtype}: more than {_MOST_BYTES:,} bytes")
    if not math.prod(shape):
        raise Unreadable(f"an array of shape {list(shape)} holds no pixels")
