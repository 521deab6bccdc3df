"""IDX, the file format of MNIST and its relatives, gzipped or not (LeCun, Cortes & Burges, "The MNIST database", 1998).

Only unsigned bytes, the one type these data sets use.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azeotrope.errors import InputError

_UNSIGNED_BYTES = b"\x00\x00\x08"


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in this file. Raises InputError when the file is not IDX or is cut short."""
    data = _bytes(path)
    if data[:3] != _UNSIGNED_BYTES or len(data) < 4 or len(data) < 4 + 4 * data[3]:
        raise _broken(path, "the first bytes are not those of an IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    shape = tuple(int(side) for side in np.frombuffer(data[4:start], dtype=">u4"))
    if len(data) - start != math.prod(shape):
        raise _broken(path, f"{len(data) - start} bytes of content where {math.prod(shape)} are announced")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(path, str(error)) from error


def _broken(path: Path, found: str) -> InputError:
    return InputError(f"The file {path} cannot be used", found=found, next_step="fetch this file again")
