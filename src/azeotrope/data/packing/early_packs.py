"""Packs that are filled while their pictures are listed, so that no picture is read and decoded a second time.

A pack's size and channels follow from all pictures of a set, and its name from their content. So each picture is packed
as those before it suggest, into a draft; where a later one suggests otherwise, another draft is begun. In the end the
draft that turned out right becomes the pack. What it lacks is decoded when it is asked for, as ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, get_ident

import numpy as np

from azeotrope.data.decoding.decode import Decoded
from azeotrope.data.decoding.resize import filter_of
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.packing.draft import Draft
from azeotrope.data.packing.foreseen import Asked, ForeseenRows, Part, foreseen_rows
from azeotrope.data.packing.pack_rows import depth_of, squared, store_of, stored_size
from azeotrope.data.scratch import scratch_below
from azeotrope.data.sources._source import Source
from azeotrope.errors import StoreError
from azeotrope.labels import PixelSpec
from azeotrope.record.machine import energy

_log = logging.getLogger(__name__)
_Key = tuple[int, int, str | None]  # pixels, channels, filter of plain pictures (None: frames)


@dataclass(frozen=True)
class Use:
    """A model that will look at a set at `pixels(side)`, where the largest picture has `side` pixels: at `frames` of
    these parts, and at `plain` pictures of those, made by `interpolation`.
    """

    pixels: Callable[[int], int]
    frames: frozenset[Part]
    plain: frozenset[Part] = frozenset()
    interpolation: str = "bicubic"


@dataclass(frozen=True)
class Foreseen:
    """What a command will pack, as far as it is known before the images are listed."""

    asked: Asked
    uses: Sequence[Use]


@dataclass
class _Shapes:
    """Of the pictures seen so far: the largest side, the channels, and whether all are squares of one size."""

    pixels: PixelSpec
    side: int = 0
    channels: int = 1
    sides: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, manifest: Manifest) -> _Shapes:
        """Of a whole set."""
        shapes = np.stack([manifest.heights, manifest.widths, manifest.channels], axis=1)[manifest.readable]
        found = cls(manifest.pixels)
        for shape in np.unique(shapes, axis=0).tolist():
            found.see(*shape)
        return found

    def see(self, height: int, width: int, channels: int) -> None:
        fit = self.pixels.fit
        sides = {height, width} if fit == "squeeze" else {(min if fit == "crop" else max)(height, width)}
        self.side = max(self.side, min(height, width) if fit == "crop" else max(height, width))
        self.channels = max(self.channels, channels)
        if len(self.sides) < 2:
            self.sides |= sides

    def keys(self, uses: Sequence[Use]) -> dict[_Key, set[Part]]:
        """The packs that would be made if there were no other pictures, and whose."""
        found: dict[_Key, set[Part]] = {}
        for use in uses:
            wanted = use.pixels(self.side)
            size = stored_size(self.side, wanted)
            frames, plain = (size, self.channels, None), (wanted, self.channels, filter_of(use.interpolation))
            found.setdefault(frames, set()).update(use.frames)
            found.setdefault(frames if self.sides == {size} else plain, set()).update(use.plain)
        return {key: parts for key, parts in found.items() if parts}


class EarlyPacks:
    """The drafts of one listing. `take` is called by several threads."""

    def __init__(self, folder: Path, rows: ForeseenRows, count: int, uses: Sequence[Use], pixels: PixelSpec) -> None:
        self._folder, self._foreseen, self._count, self._uses = folder, rows, count, uses
        self._shapes, self._drafts, self._lock = _Shapes(pixels), dict[_Key, Draft](), Lock()
        self._made, self._usable, self._threads = 0, True, set[int]()
        self._began, self._joules = time.perf_counter(), energy.here().joules()

    def take(self, row: int, checksum: str, decoded: Decoded, seconds: float) -> None:
        """Pack a picture that took so long to read and decode. One of more than 8 bits is left out: its levels depend
        on a range that is not known yet.
        """
        if not self._usable:
            return
        keys = self._seen(decoded.pixels.shape)
        if decoded.values is not None:
            return
        parts, pixels = self._foreseen.of(row, checksum), self._shapes.pixels
        for (size, channels, kind), needed_by in keys.items():
            if not parts & needed_by:
                continue
            began = time.perf_counter()
            made = squared(decoded.pixels, size, channels, pixels.fit, kind)
            try:
                draft = self._draft((size, channels, kind))
                draft.put(row, made)
            except FileNotFoundError:  # discarded meanwhile: another picture has shown that it would not do
                continue
            except OSError as error:
                self._give_up(error)
                return
            with self._lock:
                draft.seconds += seconds + time.perf_counter() - began

    def _seen(self, shape: tuple[int, ...]) -> dict[_Key, set[Part]]:
        """The packs as far as is known with this picture; drafts of others go."""
        with self._lock:
            self._threads.add(get_ident())
            self._shapes.see(*shape)
            keys = self._shapes.keys(self._uses)
            for key in self._drafts.keys() - keys.keys():
                self._drafts.pop(key).discard()
            return keys

    def _draft(self, key: _Key) -> Draft:
        with self._lock:
            if key not in self._drafts:
                if key not in self._shapes.keys(self._uses):
                    raise FileNotFoundError
                self._made += 1
                size, channels, _ = key
                shape, depth = (size, size, channels), depth_of(self._shapes.pixels)
                self._drafts[key] = Draft(self._folder / str(self._made), self._count, shape, depth)
            return self._drafts[key]

    def _give_up(self, error: OSError) -> None:
        """As on a disk that is full: the packs are then filled after listing, which says what is wrong."""
        _log.warning("Pictures are not packed while they are listed: %s", error)
        with self._lock:
            self._usable = False
            while self._drafts:
                self._drafts.popitem()[1].discard()

    def become_packs(self, manifest: Manifest, cache: Path) -> None:
        """Make the drafts that turned out right the packs of this set."""
        threads, wall = max(1, len(self._threads)), time.perf_counter() - self._began
        joules = energy.here().since(self._joules)
        for key in _Shapes.of(manifest).keys(self._uses):
            if (draft := self._drafts.pop(key, None)) is None:
                continue
            size, _, kind = key
            each = draft.seconds / threads / max(1, draft.rows_filled)
            used = None if joules is None else joules * each / wall
            with suppress(OSError, StoreError):  # what is not there is decoded when it is asked for
                draft.become(store_of(manifest, cache, size, kind), each, used)


@contextmanager
def early_packs(
    source: Source, foreseen: Foreseen | None, cache: Path | None, pixels: PixelSpec
) -> Iterator[EarlyPacks | None]:
    """None where nothing is foreseen, or the folder `cache` cannot be written."""
    rows = foreseen_rows(source, foreseen.asked) if foreseen and cache else None
    with ExitStack() as held:
        early = None
        if rows is not None and foreseen is not None and cache is not None:
            with suppress(OSError):
                folder = held.enter_context(scratch_below(cache, "listing"))
                early = EarlyPacks(folder, rows, len(source.items), foreseen.uses, pixels)
        yield early
