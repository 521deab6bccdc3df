"""A large set through the teacher on all of a Ray cluster, before the first run asks for it.

The cache is a table in files of many rows (`data.packing.rowstore`), each of which one process fills at a time: a piece
of the job is what is missing of one file. It needs a cache folder that all nodes see; where a node has a cache of its
own, its runs embed what they need there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.sweeping.engines._bench import Bench
from azeotrope.sweeping.engines._ray_worker import Home, at_home, sees_cache
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.spec import RunSpec

RETRIES = 3  # of a piece whose worker or node dies
AHEAD = 2  # pieces in Ray's hands for each worker, so that none waits for this process


@dataclass(frozen=True)
class Piece:
    """One view of some images, all in one file of the cache."""

    teacher: TeacherSpec
    task: str
    policy: ViewPolicy
    views: int
    view: int
    rows: NDArray[np.int64]


def pieces(specs: Iterable[RunSpec], resources: Resources) -> Iterator[Piece]:
    """What is missing of all that these runs train and validate on, each image and view once."""
    wanted: dict[tuple[TeacherSpec, str, ViewPolicy, int], dict[int, list[NDArray[np.int64]]]]
    wanted = defaultdict(lambda: defaultdict(list))
    for spec in specs:
        if spec.teacher is None:
            continue
        rows = resources.rows(spec.task, spec.train_images, spec.seed)
        for teacher in spec.teacher.members:
            by_view = wanted[teacher, spec.task, spec.recipe.policy, spec.recipe.views]
            by_view[PLAIN] += [rows.train, rows.val]
            for view in range(spec.recipe.cached_views):
                by_view[view].append(rows.train)
    for key, by_view in wanted.items():
        cache = resources.embeddings(*key)
        for view, parts in by_view.items():
            rows_of_view = np.unique(np.concatenate(parts))
            positions = cache.positions(rows_of_view, view)
            absent = np.isin(positions, cache.store.missing(positions))
            for part in _by_file(rows_of_view[absent], positions[absent], cache.store.shard_rows):
                yield Piece(*key, view, part)


def embed(bench: Bench, home: Home, piece: Piece) -> int:
    """Embed a piece on this node; how many images that were. 0 where the node has a cache of its own."""
    if not sees_cache(bench, home):
        return 0
    resources = _runner(bench, home).resources
    resources.embeddings(piece.teacher, piece.task, piece.policy, piece.views).ensure(piece.rows, [piece.view])
    return len(piece.rows)


def embed_all(ray: Any, work: Sequence[Piece], bench: Any, home: Home, options: dict[str, float], workers: int) -> int:
    """Every piece as a Ray task with `options` (its share of a node), `bench` a reference; images embedded in all."""
    task = ray.remote(embed).options(max_retries=RETRIES, scheduling_strategy="SPREAD", **options)
    begun, left, done = list[Any](), list(work), 0
    try:
        while begun or left:
            while left and len(begun) < AHEAD * workers:
                begun.append(task.remote(bench, home, left.pop(0)))
            ended, begun = ray.wait(begun)
            done += sum(ray.get(ended))
    except BaseException:  # also Ctrl-C: the cluster would go on with them
        for ref in begun:
            ray.cancel(ref)
        raise
    return done


def _by_file(rows: NDArray[np.int64], positions: NDArray[np.int64], file_rows: int) -> Iterator[NDArray[np.int64]]:
    """The rows of each file; `positions` rise."""
    cuts = np.flatnonzero(np.diff(positions // file_rows)) + 1
    yield from (part for part in np.split(rows, cuts) if len(part))


@lru_cache(1)
def _opened(sign: str) -> list[Runner]:
    """Room for the runner that this process keeps for all pieces of one sweep."""
    return []


def _runner(bench: Bench, home: Home) -> Runner:
    room = _opened(home.sign)
    if not room:
        room.append(at_home(bench, home).open())
    return room[0]
