"""A pool of pictures that may help to teach: what is left of them when everything that could leak is taken out.

Taken out and counted: unreadable files, copies, and near duplicates (`data.listing.near`) of validation and test
images. What a picture shows is not judged here; that is the teacher's part (`synthesis.filter`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azeotrope.data._ranks import ranks
from azeotrope.data.division.split import TaskSplits
from azeotrope.data.listing.kept_looks import kept_looks
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.listing.near import near_pairs
from azeotrope.data.listing.scan import Progress, scan
from azeotrope.data.loose import open_loose
from azeotrope.data.sources._source import Source, joined
from azeotrope.data.task import Task
from azeotrope.errors import InputError

UNREADABLE = "unreadable"
COPY = "copy of another picture"
HELD_OUT = "same picture as a validation or test image"
MOSTLY = 0.5  # share of pictures that are held-out images from which on the pool is taken for the held-out set itself


@dataclass(frozen=True, eq=False)
class Pool:
    """Pictures beside a task's own. `rows` of `task` may be used; `dropped` says why each other may not.

    `task.labels` mean nothing but for generated pictures. `near_measured` is False where nearly all pictures resemble
    each other, so that only exact copies were found.
    """

    task: Task
    dropped: dict[int, str]
    near_measured: bool = True

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows that may be used, ascending."""
        return np.array([row for row in range(len(self.task.labels)) if row not in self.dropped], dtype=np.int64)

    def counts(self) -> dict[str, int]:
        """How many were dropped, by reason."""
        reasons = list(self.dropped.values())
        return {reason: reasons.count(reason) for reason in sorted(set(reasons))}

    def without(self, checksums: Iterable[str], seed: int) -> NDArray[np.int64]:
        """The usable rows that are none of these images (a run's own) byte for byte, in the seed's order: prefixes are
        nested.
        """
        known, own = set(checksums), self.task.manifest.checksums
        rows = np.array([row for row in self.rows.tolist() if own[row] not in known], dtype=np.int64)
        order = np.argsort(ranks([own[row] for row in rows], f"azeotrope/pool/{seed}"), kind="stable")
        return rows[order]


def load_unlabelled(spec: str, task: Task, cache: Path | None = None, progress: Progress | None = None) -> Pool:
    """Open and scan unlabelled pictures (see `open_loose`) and drop what `task` holds out. The folder `cache` keeps
    what each picture turned out to be.

    Raises InputError for a source that is not there or holds no image, and for one that is the held-out set itself.
    """
    source = open_loose(spec)
    kept = kept_looks(cache, spec) if cache else None
    manifest = scan(source, progress, value_range=task.manifest.value_range, kept=kept)
    pool = keep_apart(source, manifest, task)
    held = pool.counts().get(HELD_OUT, 0)
    if held > MOSTLY * len(manifest.keys):
        raise InputError(
            f"The pictures of {spec} are the validation or test images themselves",
            found=f"{held:,} of {len(manifest.keys):,} are the same picture as one of {task.name}'s held-out images",
            allowed="pictures that judge nothing",
            next_step="name another folder with --unlabelled",
        )
    if not len(pool.rows):
        said = ", ".join(f"{count:,} {reason}" for reason, count in pool.counts().items())
        raise InputError(f"No picture of {spec} can be used", found=said, next_step="name another --unlabelled")
    return pool


def keep_apart(source: Source, manifest: Manifest, task: Task) -> Pool:
    """The pool of these pictures, without those that are copies or show a held-out image of `task` again."""
    held, read = _held_out(task)
    dropped = dict.fromkeys(np.flatnonzero(~manifest.readable).tolist(), UNREADABLE)
    seen = dict.fromkeys(held.checksums, HELD_OUT)
    for row, checksum in enumerate(manifest.checksums):
        if row not in dropped:
            if checksum in seen:
                dropped[row] = seen[checksum]
            seen.setdefault(checksum, COPY)
    pairs = near_pairs(*_together(held, read, manifest, source.read))
    if pairs is not None:
        across = pairs[(pairs[:, 0] < len(held.keys)) & (pairs[:, 1] >= len(held.keys))]
        dropped |= dict.fromkeys((across[:, 1] - len(held.keys)).tolist(), HELD_OUT)
    nothing = np.empty(0, dtype=np.int64)
    rows = np.flatnonzero(manifest.readable)
    return Pool(Task(source, manifest, TaskSplits(rows, nothing, nothing)), dropped, pairs is not None)


def held_out_rows(task: Task) -> NDArray[np.int64]:
    """Rows of validation and test images: read to keep pictures like them out, never to choose or to judge."""
    return np.concatenate([task.splits.val, task.splits.test])


def _held_out(task: Task) -> tuple[Manifest, Callable[[int], bytes | NDArray[np.uint8]]]:
    rows = held_out_rows(task)
    whole, places = task.manifest, rows.tolist()
    part = replace(
        whole,
        keys=tuple(whole.keys[row] for row in places),
        checksums=tuple(whole.checksums[row] for row in places),
        readable=whole.readable[rows],
        heights=whole.heights[rows],
        widths=whole.widths[rows],
        thumbnails=whole.thumbnails[rows],
    )
    return part, lambda place: task.source.read(places[place])


def _together(
    first: Manifest,
    read_first: Callable[[int], bytes | NDArray[np.uint8]],
    second: Manifest,
    read_second: Callable[[int], bytes | NDArray[np.uint8]],
) -> tuple[Manifest, Source]:
    """Both end to end, as far as `near_pairs` looks: keys, checksums, sizes, thumbnails, and what is readable."""
    keys = first.keys + second.keys
    manifest = replace(
        first,
        keys=keys,
        checksums=first.checksums + second.checksums,
        readable=np.concatenate([first.readable, second.readable]),
        heights=np.concatenate([first.heights, second.heights]),
        widths=np.concatenate([first.widths, second.widths]),
        thumbnails=np.concatenate([first.thumbnails, second.thumbnails]),
    )
    read = joined([(len(first.keys), read_first), (len(second.keys), read_second)])
    return manifest, Source("together", (), (), read)
