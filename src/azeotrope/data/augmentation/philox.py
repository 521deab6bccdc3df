"""Philox4x32-10, a counter-based generator: the same counter gives the same numbers, in any order, on any machine.

Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". NumPy has a Philox of its own, but one stream per
object;
here every image is its own counter, and a whole batch is drawn at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox4x32(counter: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Ten rounds. Counter words [n, 4] and two key words, each below 2^32, to words [n, 4] below 2^32."""
    c0, c1, c2, c3 = (counter[:, word].astype(np.uint64) for word in range(4))
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(10):
        p0, p1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2  # below 2^64: no overflow
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return np.stack([c0, c1, c2, c3], axis=1)


def uniforms(identities: NDArray[np.uint64], stream: int | NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """`count` numbers in [0, 1) for each identity: [n, count]. `stream` (a view number, an epoch), one for all or one
    for each, selects another set.
    """
    blocks = -(-count // 4)
    counter = np.empty((len(identities), blocks, 4), np.uint64)
    counter[:, :, 0] = (identities & _LOW)[:, None]
    counter[:, :, 1] = (identities >> _HALF)[:, None]
    counter[:, :, 2] = np.asarray(stream, np.uint64).reshape(-1, 1)
    counter[:, :, 3] = np.arange(blocks, dtype=np.uint64)[None]
    words = philox4x32(counter.reshape(-1, 4), key=(0x617A656F, 0x74726F70))  # "azeo", "trop"
    return (words.reshape(len(identities), blocks * 4)[:, :count] / 2.0**32).astype(np.float64)


def permutation(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of one epoch: determined by (count, seed, epoch) alone."""
    identities = np.arange(count, dtype=np.uint64) | np.uint64(seed) << _HALF
    return np.argsort(uniforms(identities, epoch, 1)[:, 0], kind="stable").astype(np.int64)
