"""Near duplicates: the same picture saved again, smaller, brighter, or compressed harder.

Two grey thumbnails are alike when their correlation is at least `ALIKE`; that ignores brightness and contrast. Their
lowest frequencies (what a perceptual hash keeps) cannot be farther apart than the whole thumbnails, so a search near
those misses nothing (Faloutsos et al. 1994, "Fast subsequence matching", on lower bounds). Luma decides, since JPEG
keeps a quarter of the chroma or less: candidates below `SURE` must be alike at twice the side too. Colour is compared
coarsely, to tell a red sign from a blue one.

Not found: crops, flips, rotations. Two pictures of the same thing are not near duplicates.
"""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from numpy.typing import NDArray
from scipy.fft import dctn

from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import AS_PICTURES, Reading
from azeotrope.data.listing.close_pairs import close_pairs, count_close
from azeotrope.data.listing.look import METHOD as LOOK
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.listing.thumbnail import SIDE, thumbnail
from azeotrope.data.sources._source import Source
from azeotrope.record.machine.processors import processors
from azeotrope.record.storage.store import write_atomically
from azeotrope.spec import digest

# Measured by `benchmarks/near_copies.py` (docs/log.md). Of Fashion-MNIST's 70,000 images 685 pairs reach ALIKE at 16
# pixels, most of them different trousers; 80 reach SURE, and all of these reach ALIKE at 32 pixels too.
ALIKE, SURE = 0.995, 0.998
COLOUR = 0.99  # of 8 x 8 pixels in colour: a grey drawing of a bird and the same in brown have 0.985
METHOD = 2  # raise when other pairs are found: it is part of what identifies a task that they divide
_FREQUENCIES = 16  # measured: 24 or 36 give fewer candidates, but the search takes longer
_SIDE = 32  # of the second grey thumbnail
_COLOUR_SIDE = 8
_FLAT = 2.0  # grey levels of standard deviation below which a picture is one area of colour, with nothing to compare
_MOST_CANDIDATES = 20_000_000  # pairs; about 2 GB and half a minute
_SAMPLE = 1_000  # images by which the number of candidates is foreseen
_BLOCK = 1 << 14  # pairs compared at a time: 16 MB of thumbnails on either side


def near_pairs(manifest: Manifest, source: Source) -> Int64[np.ndarray, "pairs 2"] | None:
    """Rows of near duplicates, each pair once, the lower row first; of exact copies only the first is looked at.

    None where it is not measured: the images are so uniform (frames of a film) that nearly all of them resemble each
    other, or a formula draws them and none was read.
    """
    if source.formula is not None:
        return None
    rows = _comparable(manifest)
    thumbnails = manifest.thumbnails[rows]
    candidates = _candidates(thumbnails)
    if candidates is None:
        return None
    closeness = _correlation(thumbnails, candidates)
    tiny = np.minimum(manifest.heights, manifest.widths)[rows[candidates]].min(axis=1) < SIDE
    alike = closeness >= np.where(tiny, SURE, ALIKE)  # a digit of 8 pixels is like many others
    pairs, sure = rows[np.sort(candidates[alike], axis=1)], closeness[alike] >= SURE
    order = np.lexsort(pairs.T[::-1])
    return _confirmed(pairs[order], sure[order], source, manifest.reading)


@dataclass(frozen=True)
class Near:
    """Near duplicates of a set: `pairs` of rows, or None where they were not measured (`near_pairs` says when)."""

    pairs: Int64[np.ndarray, "pairs 2"] | None


def find_near(manifest: Manifest, source: Source, cache: Path | None = None) -> Near:
    """`near_pairs`, kept in the folder `cache` for the next command on the same images: it takes longer than listing
    them.
    """
    if cache is None or source.formula is not None:
        return Near(near_pairs(manifest, source))
    span = manifest.value_range or ()
    read = () if manifest.reading.plain else (manifest.pixels.digest(),)
    file = cache / f"near-{manifest.order_digest[:24]}-{digest([METHOD, LOOK, *span, *read])}.json"
    if (stored := _stored(file)) is not None:
        return stored
    pairs = near_pairs(manifest, source)
    with suppress(OSError):  # a cache that cannot be written costs time, and the rows' own store says so
        write_atomically(file, json.dumps(None if pairs is None else pairs.tolist()), durable=False)
    return Near(pairs)


def _stored(file: Path) -> Near | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Near(None if content is None else np.array(content, dtype=np.int64).reshape(-1, 2))


def _comparable(manifest: Manifest) -> NDArray[np.int64]:
    """Readable, the first of its copies, and not flat."""
    _, first = np.unique(np.array(manifest.checksums), return_index=True)
    rows = np.sort(first)
    blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
    spread = [manifest.thumbnails[block].std(axis=(1, 2)) for block in blocks]
    contrast = np.concatenate([np.empty(0), *spread])
    usable: NDArray[np.bool_] = manifest.readable[rows] & (contrast > _FLAT)
    return rows[usable]


def standardised(thumbnails: UInt8[np.ndarray, "n ..."]) -> Float32[np.ndarray, "n d"]:
    """Mean 0 and length 1, so that a product is a correlation and a squared distance is 2 - 2 * correlation."""
    values = thumbnails.astype(np.float32).reshape(len(thumbnails), math.prod(thumbnails.shape[1:]))
    values -= values.mean(axis=1, keepdims=True)
    length: NDArray[np.float32] = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.maximum(length, np.float32(1e-6))


def _candidates(thumbnails: NDArray[np.uint8]) -> NDArray[np.int64] | None:
    """Pairs whose lowest frequencies are as near as those of alike thumbnails must be."""
    if len(thumbnails) < 2:
        return np.empty((0, 2), np.int64)
    blocks = range(0, len(thumbnails), _BLOCK)
    points = np.concatenate([_lowest_frequencies(standardised(thumbnails[at : at + _BLOCK])) for at in blocks])
    radius = float(np.sqrt(2 - 2 * ALIKE))
    neighbours = count_close(points, points[:: max(1, len(points) // _SAMPLE)], radius) - 1
    if neighbours * len(points) / 2 > _MOST_CANDIDATES:
        return None
    return close_pairs(points, radius)


def _lowest_frequencies(small: NDArray[np.float32]) -> NDArray[np.float32]:
    side = round(small.shape[1] ** 0.5)
    spectrum = dctn(small.reshape(-1, side, side), axes=(1, 2), norm="ortho")
    down, across = np.indices((side, side))
    order = np.lexsort((down.ravel(), (down + across).ravel()))[1 : 1 + _FREQUENCIES]  # without the mean, which is 0
    lowest: NDArray[np.float32] = spectrum.reshape(len(small), -1)[:, order]
    return lowest


def _correlation(thumbnails: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """Of the two thumbnails of each pair, a block of pairs at a time: a million as numbers would take a gigabyte."""
    blocks = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
    products = [
        np.einsum("nd,nd->n", *(standardised(thumbnails[block[:, side]]) for side in (0, 1))) for block in blocks
    ]
    return np.concatenate([np.empty(0, np.float32), *products])


def _confirmed(
    pairs: NDArray[np.int64], sure: NDArray[np.bool_], source: Source, reading: Reading = AS_PICTURES
) -> NDArray[np.int64]:
    """The pairs that are alike in coarse colour and, unless they are `sure`, at the larger side. Reads only the images
    in `pairs`.
    """
    rows, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(-1, 2)

    def seen(row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        pixels = decode(source.read(row), reading).pixels
        return thumbnail(pixels, _SIDE), thumbnail(pixels, _COLOUR_SIDE, "RGB")

    with ThreadPoolExecutor(processors()) as pool:
        looks = list(pool.map(seen, rows.tolist()))
    grey = np.array([look[0] for look in looks], dtype=np.uint8).reshape(-1, _SIDE, _SIDE)
    colour = np.array([look[1] for look in looks], dtype=np.uint8).reshape(-1, _COLOUR_SIDE, _COLOUR_SIDE, 3)
    same = sure | (_correlation(grey, places) >= ALIKE)
    return pairs[same & (_correlation(colour, places) >= COLOUR)]
