"""Images that look as if they belonged together although nobody said so: what their folders, numbers or cameras say.

It proposes and changes nothing: a person knows whether the pictures are of one patient, film or place. Each proposal
names the option that keeps such groups on one side, and how many of them stand in several splits without it.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray
from PIL import Image

from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.listing.near import standardised
from azeotrope.data.sources._source import Raw, Source
from azeotrope.record.machine.processors import processors

NUMBERED = r"([^/]+?)[ _.()-]*\d+[ _.()-]*\.\w+$"  # what stands before the number at the end of a file's name
FEWEST_GROUPS = 3
MORE_ALIKE = 0.1  # by how much numbered files of one name must correlate more than others of their class
_PAIRS = 2_000  # of images by which that is measured
_EXIF_SAMPLE = 100  # images that tell whether a set has EXIF at all
_MAKE, _MODEL, _EXIF, _TAKEN, _CHANGED = 271, 272, 0x8769, 36867, 306  # tags: EXIF 2.32, 4.6.4 and 4.6.5
_MINUTE = len("2026:01:31 12:59")


@dataclass(frozen=True)
class LikelyGroups:
    """Groups that images seem to form. `by` says what shows it and `option` what keeps them together; `images` are in
    `groups` of two or more, of which `torn` stand in several splits, such as `examples` (group, one file, another).

    `alike` are the mean correlations of thumbnails within a group and between groups of one class; None where too few
    pairs tell.
    """

    by: str
    option: str
    groups: int
    images: int
    torn: int
    alike: tuple[float, float] | None
    examples: tuple[tuple[str, ...], ...]


def likely_groups(manifest: Manifest, source: Source, parts: Mapping[str, NDArray[np.int64]]) -> list[LikelyGroups]:
    """What may be groups, where none were named; `parts` are the rows of each split. Reads the EXIF of every image."""
    if manifest.groups or source.formula is not None:
        return []
    found = [
        _judged(manifest, _by_folder(manifest), "the folders that images lie in", "--group-by parent", parts),
        _judged(manifest, _by_number(manifest), "numbered files of one name", f"--group-by '{NUMBERED}'", parts),
        _judged(
            manifest,
            _by_camera(manifest, source),
            "camera and minute (EXIF)",
            "--group COLUMN, of a table that holds them",
            parts,
        ),
    ]
    return [each for each in found if each is not None]


def _by_folder(manifest: Manifest) -> list[str]:
    """The folder of each image, "" where that is only its class."""
    folders = [PurePosixPath(key).parent.name for key in manifest.keys]
    classes = set(manifest.classes)
    return [folder if folder not in classes else "" for folder in folders]


def _by_number(manifest: Manifest) -> list[str]:
    """What stands before each number; nothing where files of one name are no more alike than others of their class, or
    where the name is the class's.
    """
    names = [found.group(1) if (found := re.search(NUMBERED, key)) else "" for key in manifest.keys]
    several = Counter(label for label, _ in {*zip(manifest.label_texts, names, strict=True)})
    if not several or np.median(list(several.values())) < 2:
        return [""] * len(names)
    alike = _alike(manifest, names)
    return names if alike is not None and alike[0] > alike[1] + MORE_ALIKE else [""] * len(names)


def _by_camera(manifest: Manifest, source: Source) -> list[str]:
    """Device and minute of each image, "" where the file does not say both."""
    rows = np.flatnonzero(manifest.readable)

    def of(row: int) -> str:
        try:
            return _camera_and_minute(source.read(row))
        except Exception:  # a file that has gone since, or a source that raises whatever it likes
            return ""

    sample = rows[:: max(1, len(rows) // _EXIF_SAMPLE)].tolist()
    said = [""] * len(manifest.keys)
    if any(map(of, sample)):
        with ThreadPoolExecutor(processors()) as pool:
            for row, text in zip(rows.tolist(), pool.map(of, rows.tolist()), strict=True):
                said[row] = text
    return said


def _camera_and_minute(raw: Raw) -> str:
    if not isinstance(raw, bytes):
        return ""
    with Image.open(io.BytesIO(raw)) as image:
        tags = image.getexif()
        taken = tags.get_ifd(_EXIF).get(_TAKEN) or tags.get(_CHANGED)
        device = " ".join(str(tags[tag]).strip("\0 ") for tag in (_MAKE, _MODEL) if tags.get(tag))
    return f"{device} {str(taken)[:_MINUTE]}" if device and taken else ""


def _judged(
    manifest: Manifest, names: Sequence[str], by: str, option: str, parts: Mapping[str, NDArray[np.int64]]
) -> LikelyGroups | None:
    """The proposal; None where there are too few groups of several images to speak of."""
    members: dict[str, list[int]] = {}
    for row in np.flatnonzero(manifest.readable).tolist():
        if names[row]:
            members.setdefault(names[row], []).append(row)
    several = {name: rows for name, rows in members.items() if len(rows) > 1}
    if len(several) < FEWEST_GROUPS or len(several) < len(members) / 2:
        return None
    split = {row: part for part, rows in parts.items() for row in rows.tolist()}
    torn = {name: pair for name, rows in several.items() if (pair := _first_torn(rows, split))}
    return LikelyGroups(
        by,
        option,
        len(several),
        sum(map(len, several.values())),
        len(torn),
        _alike(manifest, names),
        tuple((name, *(manifest.keys[row] for row in pair)) for name, pair in list(torn.items())[:FEWEST_GROUPS]),
    )


def _first_torn(rows: Iterable[int], split: Mapping[int, str]) -> tuple[int, int] | None:
    """Two of these images that stand in different splits."""
    known = [row for row in rows if row in split]
    return next(((known[0], row) for row in known if split[row] != split[known[0]]), None)


def _alike(manifest: Manifest, names: Sequence[str]) -> tuple[float, float] | None:
    """Mean correlations of thumbnails, within a group and between groups of one class, of randomly drawn pairs."""
    rows = np.array([row for row in np.flatnonzero(manifest.readable).tolist() if names[row]], dtype=np.int64)
    if len(rows) < 2:
        return None
    small = standardised(manifest.thumbnails[rows])
    groups = np.unique(np.array([names[row] for row in rows]), return_inverse=True)[1]
    labels = np.unique(np.array([manifest.label_texts[row] for row in rows]), return_inverse=True)[1]
    random = np.random.default_rng(0)
    within = _correlations(small, random, groups, lambda a, b: a != b)
    between = _correlations(small, random, labels, lambda a, b: groups[a] != groups[b])
    return None if within is None or between is None else (within, between)


def _correlations(
    small: Float32[np.ndarray, "n d"],
    random: np.random.Generator,
    of: NDArray[np.int64],
    wanted: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]],
) -> float | None:
    """The mean over random pairs that have the same number in `of` and are wanted; None where there is none."""
    order = np.argsort(of, kind="stable")
    start, counts = np.unique(of[order], return_index=True, return_counts=True)[1:]
    first = random.integers(0, len(of), _PAIRS)
    number = of[first]
    second = order[start[number] + (random.random(_PAIRS) * counts[number]).astype(np.int64)]
    kept = wanted(first, second)
    if not kept.any():
        return None
    return float(np.einsum("nd,nd->n", small[first[kept]], small[second[kept]]).mean())
