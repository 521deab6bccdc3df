"""An order of images that only their content decides: the hash of (salt, checksum).

Neither the folder's place nor the listing's order nor a generator's state can change it. BLAKE2b, RFC 7693.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def ranks(checksums: Sequence[str], salt: str) -> NDArray[np.uint64]:
    """A pseudo-random number for each image [n]; another `salt` gives an unrelated order."""
    start = hashlib.blake2b(salt.encode() + b"\0", digest_size=8)
    return np.array([_number(start.copy(), checksum) for checksum in checksums], dtype=np.uint64)


def rank_of(checksum: str, salt: str) -> float:
    """The same of one image, as a share of all numbers: 0 or more, below 1."""
    return _number(hashlib.blake2b(salt.encode() + b"\0", digest_size=8), checksum) / 2**64


def _number(state: hashlib.blake2b, checksum: str) -> int:
    state.update(checksum.encode())
    return int.from_bytes(state.digest(), "big")


def identities(checksums: Sequence[str]) -> NDArray[np.uint64]:
    """64 bits of each checksum [n]: the counter by which an image's random numbers are drawn."""
    return np.array([int(checksum[:16] or "0", 16) for checksum in checksums], dtype=np.uint64)
