"""Pictures of iterated function systems: a few random contractions of the plane have one attractor, and that is drawn.

Barnsley 1988, "Fractals Everywhere" (the attractor, and the random iteration that finds it). A set of maps as a class,
and its disturbed copies as the class's pictures: Kataoka et al. 2020, "Pre-training without Natural Images", arXiv
2101.08515. Maps drawn by their singular values, so that they contract: Anderson & Farrell 2022, "Improving Fractal
Pre-training", arXiv 2110.03091. The code and its constants are our own; `FORMULA` names them.

Only raw words of a counter-based generator enter, so that a picture depends on its numbers alone (up to the rounding
of a machine's sines), not on NumPy's version of a distribution.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FORMULA = "ifs-1"  # raise when a change here draws other pictures: checksums begin with it

Floats: TypeAlias = NDArray[np.float32]

_MAPS = (2, 6)  # maps of a class, fewest and most
_SETTLE, _KEPT = 10, 16  # steps until a walker is on the attractor, and steps that are drawn
_DISTURBED = 0.12  # largest relative change of a coefficient from picture to picture
_COVERED = (0.12, 0.6)  # share of a coarse grid that a class's attractor may cover: neither dust nor a full square
_COARSE = 32  # pixels of that grid
_CODES = 256  # a random byte chooses the map


class Words:
    """Numbers of one purpose, determined by (seed, class, index); `index` -1 - n is the n-th try of the class."""

    def __init__(self, seed: int, kind: int, index: int) -> None:
        self._bits = np.random.Philox(key=(seed << 64) | kind, counter=(index % (1 << 64)) << 128)

    def uniform(self, count: int) -> NDArray[np.float64]:
        """[count] in [0, 1)."""
        raw: NDArray[np.uint64] = self._bits.random_raw(count)
        return np.asarray((raw >> np.uint64(11)) * 2.0**-53, dtype=np.float64)

    def octets(self, count: int) -> NDArray[np.uint8]:
        """[count] random bytes, the same on machines of either byte order."""
        raw: NDArray[np.uint64] = self._bits.random_raw(-(-count // 8))
        return raw.astype("<u8").view(np.uint8)[:count]


@lru_cache(maxsize=1 << 16)
def system(seed: int, kind: int) -> Floats:
    """The maps of class `kind`, [k, 6]: x' = a x + b y + e, y' = c x + d y + f. The first try that covers a fair
    share of its frame.
    """
    attempt = 0
    while True:
        words = Words(seed, kind, -1 - attempt)
        maps = _contractions(words)
        covered = (_density(maps, words, _COARSE, np.eye(2, dtype=np.float32)) > 0).mean()
        if _COVERED[0] <= covered <= _COVERED[1]:
            maps.flags.writeable = False  # shared by every picture of the class
            return maps
        attempt += 1


def picture(seed: int, kind: int, index: int, size: int, *, grey: bool) -> NDArray[np.uint8]:
    """Picture `index` of class `kind`: [size, size], or [size, size, 3].

    From picture to picture of a class differ the coefficients (by up to 12 %), turn, size, mirror image, how dark the
    thin parts are, and the two colours, which tell nothing of the class.
    """
    words = Words(seed, kind, index)
    maps = system(seed, kind)
    maps = maps * (1 + _DISTURBED * (2 * words.uniform(maps.size).reshape(maps.shape) - 1)).astype(np.float32)
    turn, zoom, mirror, gamma, *colours = words.uniform(10)
    counts = _density(maps, words, size, _turned(0.5 * (turn - 0.5), 0.7 + 0.3 * zoom, mirror=mirror < 0.5))
    shade: NDArray[np.float64] = (np.log1p(counts) / np.log1p(counts.max())) ** (0.5 + gamma)
    if grey:
        return _bytes(shade)
    dark, bright = 0.45 * np.array(colours[:3]), 0.35 + 0.65 * np.array(colours[3:])
    return _bytes(dark + shade[:, :, None] * (bright - dark))


def _bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.round(255 * values).astype(np.uint8)


def _contractions(words: Words) -> Floats:
    """Maps with singular values in [0.2, 0.85], any turn, some mirrored, offsets within the unit square."""
    count = _MAPS[0] + int(words.uniform(1)[0] * (_MAPS[1] - _MAPS[0] + 1))
    u = words.uniform(count * 6).reshape(count, 6)
    long = 0.35 + 0.5 * u[:, 0]
    short = long * (0.3 + 0.7 * u[:, 1]) * np.where(u[:, 1] * 64 % 1 < 0.5, -1, 1)
    left, right = _rotations(2 * np.pi * u[:, 2]), _rotations(2 * np.pi * u[:, 3])
    scales = np.zeros((count, 2, 2))
    scales[:, 0, 0], scales[:, 1, 1] = long, short
    return np.hstack([(left @ scales @ right).reshape(count, 4), 2 * u[:, 4:] - 1]).astype(np.float32)


def _rotations(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos, -sin, sin, cos], axis=-1).reshape(-1, 2, 2)


def _turned(angle: float, zoom: float, *, mirror: bool) -> Floats:
    """[2, 2]"""
    flip = np.diag([-1.0 if mirror else 1.0, 1.0])
    return np.asarray(zoom * _rotations(np.array([angle]))[0] @ flip, dtype=np.float32)


def _density(maps: Floats, words: Words, size: int, pose: Floats) -> NDArray[np.int64]:
    """How many of 8 points a pixel fall in each pixel, [size, size]; the attractor is centred and fills the frame at
    `pose` 1.

    Many walkers take a few steps, rather than one walker many: each step is then one array operation.
    """
    x, y = _walk(maps, words, size * size // 2)
    x, y = x - (x.min() + x.max()) / 2, y - (y.min() + y.max()) / 2
    radius = max(float(np.abs(x).max()), float(np.abs(y).max()), 1e-6)
    across, down = (pose * np.float32(0.49 * size / radius)) @ np.stack([x, y]) + np.float32(size / 2)
    inside = (across >= 0) & (across < size) & (down >= 0) & (down < size)
    place = down[inside].astype(np.int64) * size + across[inside].astype(np.int64)
    return np.bincount(place, minlength=size * size).reshape(size, size)


def _walk(maps: Floats, words: Words, walkers: int) -> tuple[Floats, Floats]:
    """Points on the attractor, [_KEPT * walkers] each; a map is taken as often as its share of the area."""
    area = np.maximum(np.abs(maps[:, 0] * maps[:, 3] - maps[:, 1] * maps[:, 2]), 0.02)
    choice = np.searchsorted(np.cumsum(area / area.sum()), (np.arange(_CODES) + 0.5) / _CODES).clip(max=len(maps) - 1)
    codes = words.octets((_SETTLE + _KEPT) * walkers).reshape(-1, walkers)
    steps = maps[choice].T.copy().take(codes, axis=1)  # [6, steps, walkers]
    x = y = np.zeros(walkers, np.float32)
    kept = np.empty((2, _KEPT, walkers), np.float32)
    for step in range(_SETTLE + _KEPT):
        a, b, c, d, e, f = steps[:, step]
        x, y = a * x + b * y + e, c * x + d * y + f
        if step >= _SETTLE:
            kept[:, step - _SETTLE] = x, y
    return kept[0].ravel(), kept[1].ravel()
