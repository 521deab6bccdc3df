"""What a source holds, a row an image: its size, its content's checksum, its label, and how the pixels were read.

The fingerprint identifies the labelled set wherever it lies and in whatever order it is listed.
`data.listing.scan` makes the manifest, which judges nothing; that is the audit's part (`data.auditing.audit`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from azeotrope.data.decoding.deep import FULL, Range, Values, percentile_range
from azeotrope.data.decoding.deep import words as words_on
from azeotrope.data.decoding.dicom import WINDOWED
from azeotrope.data.decoding.reading import Reading
from azeotrope.data.sources._source import Split
from azeotrope.errors import InputError
from azeotrope.kinds._kind import Labels, kind_named
from azeotrope.labels import PLAIN_PIXELS, KindName, PixelSpec


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


def _digest(lines: list[str] | tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()
