"""What a source holds, read once: every image decoded, measured and identified by its content.

The fingerprint identifies the labelled set wherever it lies and in whatever order it is listed. The manifest judges
nothing; that is the audit's part (`data.audit`).
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from numpy.typing import NDArray

from azeotrope.data.deep import FULL, AskedRange, Range, Values, percentile_range, plain_range, unknown_range
from azeotrope.data.deep import words as words_on
from azeotrope.data.dicom import WINDOWED
from azeotrope.data.kept_looks import KeptLooks
from azeotrope.data.look import Look, Looks, look_at
from azeotrope.data.reading import Reading
from azeotrope.data.sources._source import Source, Split
from azeotrope.data.uncollected import uncollected
from azeotrope.errors import InputError
from azeotrope.kinds._kind import Labels, kind_named
from azeotrope.labels import PLAIN_PIXELS, KindName, PixelSpec
from azeotrope.record.processors import processors

_CHUNK = 64  # images a thread takes at a time

Progress = Callable[[int, int], None]  # (images done, images in all)


@dataclass(frozen=True, eq=False)
class Manifest:
    """One row an image, in the source's order.

    `checksums` are SHA-256 of the raw content (hex; "" when it could not even be read). Unreadable images keep their
    row, with size 0 and an entry in `reasons`. `notes` counts what `decode` had to do. `thumbnails` are grey, for
    finding near duplicates. `labels` are what `kind` makes of them. `value_range` are the values of black and white in
    files of more than 8 bits, None where there are none; `words` are sentences on how the pixels were read. `groups`
    names the group of each image, and is empty where none were asked for. `pixels` is how files are read. `deep` holds,
    by row, the values of files of more than 8 bits where the range is yet to be measured on some of them;
    `before_range` is the fingerprint that the set had then.
    """

    name: str
    classes: tuple[str, ...]
    keys: tuple[str, ...]
    labels: Labels
    splits: tuple[Split, ...]
    checksums: tuple[str, ...]
    heights: Int64[np.ndarray, " n"]
    widths: Int64[np.ndarray, " n"]
    channels: Int64[np.ndarray, " n"]
    readable: Bool[np.ndarray, " n"]
    reasons: Mapping[int, str]
    notes: Mapping[str, int]
    thumbnails: UInt8[np.ndarray, "n S S"]
    kind: KindName = "single"
    value_range: Range | None = None
    words: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    pixels: PixelSpec = PLAIN_PIXELS
    deep: Mapping[int, Values] = field(default_factory=dict)
    before_range: str | None = None

    def ranged_by(self, rows: Int64[np.ndarray, " k"]) -> Manifest:
        """The same with the percentile range of these rows, which no image elsewhere moves. Where none of them has more
        than 8 bits, that of all.
        """
        values = [self.deep[row] for row in rows.tolist() if row in self.deep] or list(self.deep.values())
        span = percentile_range(values)
        said = words_on(list(self.deep.values()), span, asked=True)
        return replace(self, value_range=span, words=said, deep={}, before_range=self.fingerprint)

    @property
    def unranged(self) -> str:
        """The fingerprint of the set before a range was measured on training images, which are others in every fold."""
        return self.before_range or self.fingerprint

    @property
    def reading(self) -> Reading:
        """How the files of this set become pixels."""
        return Reading(self.value_range, self.pixels)

    @property
    def own_windows(self) -> bool:
        """Whether each file of more than 8 bits was shown by the window in it, so that none without one is read."""
        return self.value_range is None and WINDOWED in self.notes

    @cached_property
    def bands(self) -> int:
        """Channels of the pictures: 1 where all are grey, 3 where some are colour, else the bands of the files."""
        return int(self.channels[self.readable].max(initial=1))

    @property
    def side(self) -> int:
        """Pixels of the largest square that the pictures become."""
        sides = np.minimum if self.pixels.fit == "crop" else np.maximum
        return int(sides(self.heights, self.widths).max())

    def places_of(self, bands: tuple[int, ...]) -> tuple[int, ...]:
        """Where bands, numbered as in the files, lie among those that are read. Raises InputError for one that is not
        among them.
        """
        read = self.pixels.bands
        there = read if isinstance(read, tuple) else tuple(range(1, self.bands + 1))
        if missing := [band for band in bands if band not in there]:
            raise InputError(
                "A teacher looks at bands that are read",
                found=f"band {missing[0]}",
                allowed=", ".join(map(str, there)),
                next_step="correct --teacher-bands, or add the band to --bands",
            )
        return tuple(there.index(band) for band in bands)

    @property
    def in_channels(self) -> int:
        """Channels of what a network sees; grey is shown to it as colour."""
        return 3 if self.bands == 1 else self.bands

    @cached_property
    def label_texts(self) -> tuple[str, ...]:
        """Each label in words; equal texts mean equal labels."""
        return tuple(kind_named(self.kind).texts(self.labels, self.classes))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the class names and the sorted (checksum, label, split): the same for a moved or reordered
        set. Another kind of task is another set, and so are other groups, whatever they are called.
        """
        kind: list[str] = [] if self.kind == "single" else [self.kind]  # older fingerprints stay
        if self.value_range not in (None, FULL):  # other pixels are another set
            kind.append("values {} to {}".format(*self.value_range))
        if not self.reading.plain:
            kind.append(f"pixels {self.pixels.digest()}")
        columns = [self.checksums, self.label_texts, self.splits]
        if self.groups:
            kind.append("groups")
            columns.append(self._group_checksums)
        rows = sorted(map("\0".join, zip(*columns, strict=True)))
        return _digest([*kind, *self.classes, "", *rows])

    @cached_property
    def images_digest(self) -> str:
        """SHA-256 over the sorted checksums: the same however these images are split, grouped or labelled."""
        return _digest(sorted(self.checksums))

    @property
    def _group_checksums(self) -> tuple[str, ...]:
        """Each group by the lowest checksum in it."""
        lowest: dict[str, str] = {}
        for group, checksum in zip(self.groups, self.checksums, strict=True):
            lowest[group] = min(checksum, lowest.get(group, checksum))
        return tuple(lowest[group] for group in self.groups)

    @cached_property
    def order_digest(self) -> str:
        """SHA-256 over the checksums in row order: what a file with one entry a row must match."""
        return _digest(self.checksums)


def scan(
    source: Source,
    progress: Progress | None = None,
    threads: int | None = None,
    value_range: AskedRange = None,
    kept: KeptLooks | None = None,
    pixels: PixelSpec = PLAIN_PIXELS,
) -> Manifest:
    """Decode every image once, in `threads` threads (by default one a processor; Pillow decodes without the
    interpreter's lock).

    An image that cannot be read is a row with a reason, never an exception. Images that a formula draws are taken at
    its word: none is drawn. `value_range` is that of files of more than 8 bits; without it their own is measured. That
    of `percentile` is of all files, until the splits are known (`Manifest.ranged_by`).
    Images whose looks are `kept` under an unchanged stamp are not read again. `pixels` says which bands are read;
    raises InputError where the files have different ones.
    """
    looks = _looks(source, progress, threads or processors(), kept, pixels)
    if pixels.bands is not None:
        _require_equal_bands(source, looks)
    rows = looks.deep.tolist()
    seen = [looks[row] for row in rows]
    deep = {
        row: look.values for row, look in zip(rows, seen, strict=True) if look.values and value_range == "percentile"
    }
    value_range, words = _range_of(seen, value_range)
    for row, look in zip(rows, seen, strict=True):
        looks.put(row, look)
    items = source.items
    return Manifest(
        name=source.name,
        classes=source.classes,
        keys=tuple([item.key for item in items]),
        labels=kind_named(source.kind).array([item.label for item in items], len(source.classes)),
        splits=tuple([item.split for item in items]),
        checksums=tuple(looks.checksums),
        heights=looks.shapes[:, 0],
        widths=looks.shapes[:, 1],
        channels=looks.shapes[:, 2],
        readable=looks.readable,
        reasons=dict(sorted(looks.reasons.items())),
        notes=dict(Counter(note for _, said in sorted(looks.notes.items()) for note in said)),
        thumbnails=looks.thumbnails,
        kind=source.kind,
        value_range=value_range,
        words=words,
        groups=tuple([item.group for item in items]) if any(item.group for item in items) else (),
        pixels=pixels,
        deep=deep,
    )


def _require_equal_bands(source: Source, looks: Looks) -> None:
    bands = looks.shapes[:, 2]
    found = Counter(bands[looks.readable].tolist())
    if len(found) < 2:
        return
    first = {number: source.items[int(np.argmax(bands == number))].key for number in found}
    raise InputError(
        "All files of a set must have the same bands",
        found=", ".join(f"{bands} in {count:,} files ({first[bands]})" for bands, count in found.most_common(3)),
        allowed="--bands with the numbers of bands that every file has",
        next_step="name these, or move the other files away",
    )


def _range_of(looks: list[Look], asked: AskedRange) -> tuple[Range | None, tuple[str, ...]]:
    """The values of black and white in the deep files of a set, and what to say of them. Where they are not known,
    these files become unreadable.

    Medical pictures keep the windows of their own unless a range is asked for: files without one then have no scale
    in common with them.
    """
    deep = [place for place, look in enumerate(looks) if look.values is not None]
    values = [look.values for look in looks if look.values is not None]
    windowed = sum(WINDOWED in looks[place].notes for place in deep)
    if not values:
        return None, ()
    if asked is None and windowed:
        for place in deep:
            if WINDOWED not in looks[place].notes:
                looks[place] = Look(looks[place].checksum, reason=_no_window(windowed))
        return None, ()
    span = percentile_range(values) if asked == "percentile" else asked or plain_range(values)
    if span is None:
        for place, each in zip(deep, values, strict=True):
            looks[place] = Look(looks[place].checksum, reason=unknown_range(each))
    return span, words_on(values, span, asked=asked is not None)


def _no_window(others: int) -> str:
    return (
        f"no window of its own, as {others:,} medical pictures of this set have: --range LOW,HIGH, or percentile, "
        "gives all of them one scale"
    )


def _looks(source: Source, progress: Progress | None, threads: int, kept: KeptLooks | None, pixels: PixelSpec) -> Looks:
    """The look of every image: found among those that are `kept`, or taken now and kept for the next command."""
    began, stamp, rows = time.time_ns(), source.stamp, range(len(source.items))
    with uncollected():
        stamps = list(map(stamp, rows)) if kept is not None and stamp is not None else []
        looks, missing = kept.find(stamps) if kept is not None and stamps else _all_missing(len(rows))
    done = len(rows) - len(missing)
    for part, taken in _chunks(source, missing.tolist(), threads, pixels):
        for row, look in zip(part, taken, strict=True):
            looks.put(row, look)
        done += len(part)
        if progress:
            progress(done, len(rows))
    if kept is not None and stamps and len(missing):
        kept.keep(stamps, looks, began)
    return looks


def _all_missing(rows: int) -> tuple[Looks, NDArray[np.int64]]:
    return Looks.none_of(rows), np.arange(rows)


def _chunks(source: Source, rows: list[int], threads: int, pixels: PixelSpec) -> Iterator[tuple[list[int], list[Look]]]:
    """These rows, some at a time, with their looks. When the caller stops (Ctrl-C), what was not begun is not begun any
    more.
    """
    pool = ThreadPoolExecutor(threads)
    parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    try:
        yield from zip(parts, pool.map(lambda part: [look_at(source, row, pixels) for row in part], parts), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _digest(lines: list[str] | tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()
