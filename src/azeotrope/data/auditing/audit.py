"""What a person should know of their images before training on them. It reports and changes nothing
(`data.division.split` drops copies).

Numbers first, with a few examples each; how they are shown is left to the caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.auditing.likely_groups import LikelyGroups, likely_groups
from azeotrope.data.division.split import TaskSplits
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.listing.near import Near, find_near
from azeotrope.data.sources._source import PassedOver, Source
from azeotrope.kinds._kind import kind_named
from azeotrope.labels import KindName

EXAMPLES = 10  # shown of each finding
VERY_WIDE = 4.0  # long side over short side: squeezed to a square, such an image is hard to know again


@dataclass(frozen=True)
class Finding:
    """How many, and the first few: each example is a row of texts (keys first)."""

    count: int
    examples: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Audit:
    """Facts about a labelled set.

    `class_counts` holds readable images by split ("" where none is given), in the order of `classes`. `unreadable`
    gives (key, reason). `exact_duplicates` counts copies beyond the first; `conflicting_labels` groups of copies that
    carry different classes. A leak is an image of train or val whose copy is in a later split (test after val after
    train). `values` are the lowest, middle and highest of a number, else none. Near duplicates are pairs; None: not
    measured (`near_pairs` says when). `notes` counts what decoding did (see `data.decoding.decode`). Sides are in
    pixels. `words` are sentences on how the set was read, `passed` is what was not taken, `lost` counts the unreadable
    images of each class by reason. `commonest` is the largest class and the share of images that are of another: the
    error of always naming it. `likely_groups` are what may belong together, where no groups were named.
    """

    name: str
    fingerprint: str
    images: int
    kind: KindName
    classes: tuple[str, ...]
    class_counts: Mapping[str, tuple[int, ...]]
    unreadable: Finding
    exact_duplicates: Finding
    conflicting_labels: Finding
    exact_leaks: Finding
    near_duplicates: Finding | None
    near_leaks: Finding | None
    very_wide: Finding
    grey: int
    notes: Mapping[str, int]
    smallest_side: int
    largest_side: int
    values: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    passed: tuple[PassedOver, ...] = ()
    lost: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    commonest: tuple[str, float] | None = None
    likely_groups: tuple[LikelyGroups, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Plain dictionaries, lists, texts and numbers, ready for `json.dumps`."""
        return asdict(self)


def audit(manifest: Manifest, source: Source, found: Near | None = None, splits: TaskSplits | None = None) -> Audit:
    """Look for what spoils a training or a comparison. Reads images again to confirm near duplicates, unless these were
    `found` before, and for their EXIF. `splits` are those that are used; None takes the source's own.
    """
    copies = _copies(manifest)
    near = (found or find_near(manifest, source)).pairs
    sides = np.stack([manifest.heights, manifest.widths])[:, manifest.readable]
    return Audit(
        name=manifest.name,
        fingerprint=manifest.fingerprint,
        images=len(manifest.keys),
        kind=manifest.kind,
        classes=manifest.classes,
        class_counts=_class_counts(manifest),
        unreadable=_finding((manifest.keys[row], reason) for row, reason in manifest.reasons.items()),
        exact_duplicates=_extra_copies(manifest, copies),
        conflicting_labels=_conflicts(manifest, copies),
        exact_leaks=_leaks(manifest, _pairs_across(manifest, copies)),
        near_duplicates=None if near is None else _finding(_keys(manifest, pair) for pair in near),
        near_leaks=None if near is None else _leaks(manifest, near),
        very_wide=_very_wide(manifest),
        grey=int((manifest.channels == 1).sum()),
        notes=manifest.notes,
        smallest_side=int(sides.min()) if sides.size else 0,
        largest_side=int(sides.max(initial=0)),
        values=kind_named(manifest.kind).quantiles(manifest.labels[manifest.readable]),
        words=(*source.words, *manifest.words),
        passed=source.passed,
        lost=lost_by_class(manifest),
        commonest=_commonest(manifest),
        likely_groups=tuple(likely_groups(manifest, source, _rows_by_split(manifest, splits))),
    )


def _rows_by_split(manifest: Manifest, splits: TaskSplits | None) -> dict[str, NDArray[np.int64]]:
    if splits is not None:
        return {"train": splits.train, "val": splits.val, "test": splits.test}
    given = np.array(manifest.splits)
    return {name: np.flatnonzero(given == name) for name in ("train", "val", "test")}


def lost_by_class(manifest: Manifest) -> dict[str, dict[str, int]]:
    """Unreadable images of each class (of a number, of the whole set) by reason, the most frequent reasons first."""
    rows = list(manifest.reasons)
    classes = ["all"] * len(rows) if manifest.kind == "number" else [manifest.label_texts[row] for row in rows]
    counts: dict[str, Counter[str]] = {}
    for row, name in zip(rows, classes, strict=True):
        counts.setdefault(name, Counter())[manifest.reasons[row]] += 1
    return {name: dict(found.most_common()) for name, found in sorted(counts.items())}


def _commonest(manifest: Manifest) -> tuple[str, float] | None:
    """Of one class an image; there is no such answer for other kinds."""
    labels = manifest.labels[manifest.readable]
    if manifest.kind != "single" or not len(labels):
        return None
    counts = np.bincount(labels, minlength=len(manifest.classes))
    return manifest.classes[int(counts.argmax())], float(1 - counts.max() / counts.sum())


def _finding(examples: Iterable[tuple[str, ...]]) -> Finding:
    found = list(examples)
    return Finding(len(found), tuple(found[:EXAMPLES]))


def _keys(manifest: Manifest, rows: Iterable[int]) -> tuple[str, ...]:
    return tuple(manifest.keys[row] for row in rows)


def _class_counts(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    splits = np.array(manifest.splits)
    counts: dict[str, tuple[int, ...]] = {}
    for split in sorted(set(manifest.splits), key=("train", "val", "test", "").index):
        labels = manifest.labels[manifest.readable & (splits == split)]
        counts[split] = tuple(kind_named(manifest.kind).counts(labels, len(manifest.classes)).tolist())
    return counts


def _copies(manifest: Manifest) -> list[NDArray[np.int64]]:
    """Groups of readable rows with equal content, two or more each."""
    rows = np.flatnonzero(manifest.readable)
    checksums = np.array(manifest.checksums)[rows]
    order = np.argsort(checksums, kind="stable")
    starts = np.flatnonzero(checksums[order][1:] != checksums[order][:-1]) + 1
    return [group for group in np.split(rows[order], starts) if len(group) > 1]


def _extra_copies(manifest: Manifest, copies: list[NDArray[np.int64]]) -> Finding:
    examples = tuple(_keys(manifest, group) for group in copies[:EXAMPLES])
    return Finding(sum(len(group) - 1 for group in copies), examples)


def _conflicts(manifest: Manifest, copies: list[NDArray[np.int64]]) -> Finding:
    """Examples are (key, class, key, class, ...)."""
    return _finding(
        tuple(text for row in group for text in (manifest.keys[row], manifest.label_texts[row]))
        for group in copies
        if len({manifest.label_texts[row] for row in group}) > 1
    )


def _pairs_across(manifest: Manifest, copies: list[NDArray[np.int64]]) -> list[tuple[int, int]]:
    """For each copy, it and the copy in the latest split of its group."""
    latest = [max(group.tolist(), key=lambda row: _stage(manifest, row)) for group in copies]
    return [(row, last) for group, last in zip(copies, latest, strict=True) for row in group.tolist() if row != last]


def _leaks(manifest: Manifest, pairs: Iterable[Iterable[int]]) -> Finding:
    """Pairs between splits, each as (key outside, key in the later split)."""
    ordered = (sorted(pair, key=lambda row: _stage(manifest, row)) for pair in pairs)
    return _finding(
        _keys(manifest, (first, second))
        for first, second in ordered
        if _stage(manifest, first) < _stage(manifest, second)
    )


def _stage(manifest: Manifest, row: int) -> int:
    """Training, choosing, judging: the later an image is needed, the less it may be known before."""
    return {"test": 2, "val": 1}.get(manifest.splits[row], 0)


def _very_wide(manifest: Manifest) -> Finding:
    height, width = manifest.heights, manifest.widths
    longer, shorter = np.maximum(height, width), np.minimum(height, width)
    rows = np.flatnonzero(longer > VERY_WIDE * shorter)
    return _finding((manifest.keys[row], f"{width[row]} x {height[row]}") for row in rows)
