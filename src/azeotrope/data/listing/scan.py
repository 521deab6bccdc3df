"""Every image of a source read once: decoded, measured, identified by its content; and what its values mean as a set.

What comes of it is the `Manifest`. Nothing is judged here; that is the audit's part (`data.auditing.audit`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.decoding.deep import AskedRange, Range, percentile_range, plain_range, unknown_range
from azeotrope.data.decoding.deep import words as words_on
from azeotrope.data.decoding.dicom import WINDOWED
from azeotrope.data.listing.kept_looks import KeptLooks
from azeotrope.data.listing.look import Look, Looks, Take, look_at
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.sources._source import Source
from azeotrope.data.uncollected import uncollected
from azeotrope.errors import InputError
from azeotrope.kinds._kind import kind_named
from azeotrope.labels import PLAIN_PIXELS, PixelSpec
from azeotrope.record.machine.processors import processors

_CHUNK = 64  # images a thread takes at a time

Progress = Callable[[int, int], None]  # (images done, images in all)


def scan(
    source: Source,
    progress: Progress | None = None,
    threads: int | None = None,
    value_range: AskedRange = None,
    kept: KeptLooks | None = None,
    pixels: PixelSpec = PLAIN_PIXELS,
    take: Take | None = None,
) -> Manifest:
    """Decode every image once, in `threads` threads (by default one a processor; Pillow decodes without the
    interpreter's lock).

    An image that cannot be read is a row with a reason, never an exception. Images that a formula draws are taken at
    its word: none is drawn. `value_range` is that of files of more than 8 bits; without it their own is measured. That
    of `percentile` is of all files, until the splits are known (`Manifest.ranged_by`).
    Images whose looks are `kept` under an unchanged stamp are not read again. `pixels` says which bands are read;
    raises InputError where the files have different ones. Each picture that is decoded is given to `take`, by several
    threads.
    """
    each = partial(look_at, source, pixels=pixels, take=take)
    looks = _looks(source, progress, threads or processors(), kept, each)
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


def _looks(
    source: Source, progress: Progress | None, threads: int, kept: KeptLooks | None, look: Callable[[int], Look]
) -> Looks:
    """The look of every image: found among those that are `kept`, or taken now and kept for the next command."""
    began, stamp, rows = time.time_ns(), source.stamp, range(len(source.items))
    with uncollected():
        stamps = list(map(stamp, rows)) if kept is not None and stamp is not None else []
        looks, missing = kept.find(stamps) if kept is not None and stamps else _all_missing(len(rows))
    done = len(rows) - len(missing)
    for part, taken in _chunks(missing.tolist(), threads, look):
        for row, found in zip(part, taken, strict=True):
            looks.put(row, found)
        done += len(part)
        if progress:
            progress(done, len(rows))
    if kept is not None and stamps and len(missing):
        kept.keep(stamps, looks, began)
    return looks


def _all_missing(rows: int) -> tuple[Looks, NDArray[np.int64]]:
    return Looks.none_of(rows), np.arange(rows)


def _chunks(rows: list[int], threads: int, look: Callable[[int], Look]) -> Iterator[tuple[list[int], list[Look]]]:
    """These rows, some at a time, with their looks. When the caller stops (Ctrl-C), what was not begun is not begun any
    more.
    """
    pool = ThreadPoolExecutor(threads)
    parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    try:
        yield from zip(parts, pool.map(lambda part: [look(row) for row in part], parts), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
