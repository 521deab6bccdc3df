"""Which images train, which choose, which judge. Decided by content alone, so that everyone with the same images gets
the same splits.

It decides nothing at random: no seed enters here. Subsets of the training rows are `data.subset`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from azeotrope.data._ranks import ranks
from azeotrope.data.manifest import Manifest
from azeotrope.errors import InputError
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds.single import shortened
from azeotrope.plan import HELD_OUT

MOST_HELD_OUT = 0.5
_SALT = "azeotrope/split"


@dataclass(frozen=True, eq=False)
class TaskSplits:
    """Rows of the manifest, ascending. `dropped` counts copies of an image left out, `unreadable` files left out,
    `contradictory` images left out because their copies carry different labels. `together` counts images that were kept
    on one side of the splits made here because they are near copies; None where that could not be done.
    `held_out` is the share that was asked for, None for the one that is taken where none is.
    """

    train: Int64[np.ndarray, " a"]
    val: Int64[np.ndarray, " b"]
    test: Int64[np.ndarray, " c"]
    dropped: int = 0
    unreadable: int = 0
    contradictory: int = 0
    together: int | None = 0
    held_out: float | None = None


def split_task(
    manifest: Manifest, held_out: float = HELD_OUT, near: Int64[np.ndarray, "pairs 2"] | None = None
) -> TaskSplits:
    """The three splits of a task.

    - A test split given by the source is kept whole; an image that is also in it leaves train and val. Without one,
      the share `held_out` of each class becomes test.
    - Elsewhere each image counts once: the copy in val stays rather than the one in train. Where copies in one split
      carry different labels, nobody knows which is right: none of them stays.
    - A val split given by the source is the validation pool. Without one, this share of each class of what is left
      becomes val.
    - Near copies (`near`, pairs of rows) are in one of the splits made here, all of them.

    Which images are taken is decided by a hash of their content. Every class must have an image left for each split
    made here and one to train on: 3 images, or fewer where the source gives splits. Raises InputError otherwise. For
    several labels an image, or a number, "of each class" is what `kinds` makes of it. A share that was asked for and
    has nothing to divide is refused too.
    """
    _check_usable(manifest)
    rows = np.flatnonzero(manifest.readable)
    splits = np.array(manifest.splits, dtype="U5")[rows]
    kept, contradictory = _unique(manifest, rows, splits)
    given = {name: rows[kept & (splits == name)] for name in ("val", "test")}
    pool = rows[kept & ~np.isin(splits, ("val", "test"))]
    made = [name for name, taken in given.items() if not len(taken)]
    _check_share(manifest, held_out, made)
    kind = kind_named(manifest.kind)
    kind.require(manifest.labels[pool], manifest.classes, made)
    groups = near_groups(near, len(manifest.labels))
    together: int | None = int(np.isin(pool, np.flatnonzero(_grouped(groups, pool))).sum()) if made else 0
    if together:
        try:
            kind.require(manifest.labels[_standing_for(manifest, pool, groups)], manifest.classes, made)
        except InputError:  # a class of which nearly all images are one picture
            groups, together = np.arange(len(manifest.labels)), None
    test, pool = (given["test"], pool) if len(given["test"]) else _hold_out(manifest, pool, groups, held_out)
    val, pool = (given["val"], pool) if len(given["val"]) else _hold_out(manifest, pool, groups, held_out)
    for name, part in (("train", pool), ("val", val), ("test", test)):
        kind.require_split(manifest.labels[part], manifest.classes, name)
    dropped = int((~kept).sum()) - contradictory
    asked = None if held_out == HELD_OUT else held_out
    return TaskSplits(pool, val, test, dropped, len(manifest.labels) - len(rows), contradictory, together, asked)


def near_groups(pairs: Int64[np.ndarray, "pairs 2"] | None, rows: int) -> Int64[np.ndarray, " rows"]:
    """For each row the lowest row that it is joined to by a chain of near copies; itself where there is none."""
    if pairs is None or not len(pairs):
        return np.arange(rows)
    joined = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(rows, rows))
    part = connected_components(joined, directed=False)[1]
    first = np.unique(part, return_index=True)[1]
    return np.asarray(first[part], dtype=np.int64)


def _grouped(groups: NDArray[np.int64], pool: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are in the pool together with another of their group [all rows]."""
    counts = np.bincount(groups[pool], minlength=len(groups))
    return np.asarray((counts > 1)[groups])


def _standing_for(manifest: Manifest, pool: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """One row for each group of the pool, by the rank of the group's first: of the rarest class among its members, so
    that no class is lost behind another.
    """
    rank = ranks([manifest.checksums[row] for row in pool], _SALT)
    codes = kind_named(manifest.kind).codes(manifest.labels[pool])
    rarity = np.bincount(codes)[codes]
    order = np.lexsort((rank, rarity, groups[pool]))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = groups[pool][order][1:] != groups[pool][order][:-1]
    chosen = order[first]
    return pool[chosen[np.argsort(rank[chosen], kind="stable")]]


def _unique(manifest: Manifest, rows: NDArray[np.int64], splits: NDArray[np.str_]) -> tuple[NDArray[np.bool_], int]:
    """Which of `rows` stay [len(rows)]: every test row, else the first copy, val before train (not by listing). Copies
    of one split with different labels do not stay; how many rows that are is the second answer.
    """
    checksums = np.array(manifest.checksums)[rows]
    precedence = np.select([splits == "test", splits == "val"], [0, 1], 2)
    codes = kind_named(manifest.kind).codes(manifest.labels[rows])
    order = np.lexsort((rows, codes, precedence, checksums))
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = checksums[order[1:]] != checksums[order[:-1]]
    image = np.cumsum(new) - 1  # of each place in the order, the number of its content
    best = precedence[order][new][image]
    competing = precedence[order] == best
    lowest = codes[order][new][image]
    differs = np.bincount(image, weights=competing & (codes[order] != lowest)) > 0
    contradicted = np.zeros(len(rows), dtype=np.bool_)
    contradicted[order] = differs[image] & (best > 0)
    first = np.zeros(len(rows), dtype=np.bool_)
    first[order[new]] = True
    stays: NDArray[np.bool_] = (first & ~contradicted) | (splits == "test")
    return stays, int(contradicted.sum())


def _hold_out(
    manifest: Manifest, pool: NDArray[np.int64], groups: NDArray[np.int64], share: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(taken, left): the share whose hash is lowest, at least one, of each class or as `Kind.held_out` says. A group of
    near copies is taken whole; one that is itself larger than the share is left.
    """
    order = _standing_for(manifest, pool, groups)
    sizes = np.bincount(groups[pool], minlength=len(groups))
    small = order[sizes[groups[order]] <= max(1, share * len(pool))]
    labels = manifest.labels
    chosen = small[kind_named(manifest.kind).held_out(labels[small], share)]
    held = np.sort(pool[np.isin(groups[pool], groups[chosen])])
    return held, np.setdiff1d(pool, held, assume_unique=True)


def _check_share(manifest: Manifest, share: float, made: list[str]) -> None:
    """A share between none and half of the images, and a split to make of it."""
    if not 0 < share <= MOST_HELD_OUT:
        raise InputError(
            "The share of images that is held out is above 0 and at most a half",
            found=f"{share:g}",
            allowed=f"such as {HELD_OUT:g}, which is taken where none is given",
            next_step="give another --held-out",
        )
    if share != HELD_OUT and not made:
        raise InputError(
            f"Nothing is held out of {manifest.name}: it comes with validation and test images",
            found=f"a share of {share:g} to hold out",
            next_step="leave --held-out out",
        )


def _check_usable(manifest: Manifest) -> None:
    if len(manifest.classes) < kind_named(manifest.kind).fewest_classes:
        raise InputError(
            "A task needs at least two classes",
            found=f"{len(manifest.classes)} in {manifest.name}"
            + "".join(f": {shortened(name)}" for name in manifest.classes),
            allowed="2 or more",
            next_step="add images of what this class is to be told apart from",
        )
    if not manifest.readable.any():
        reasons = [f"{manifest.keys[row]}: {reason}" for row, reason in list(manifest.reasons.items())[:3]]
        raise InputError(
            f"No image of {manifest.name} can be read",
            found="; ".join(reasons) or "no images at all",
            next_step="repair these files, or correct their paths; `azeotrope check` counts the reasons by class",
        )
    tests = [row for row, split in enumerate(manifest.splits) if split == "test"]
    if tests and not manifest.readable[tests].any():  # never replaced in silence by training images
        raise InputError(
            f"No image of the test split of {manifest.name} can be read",
            found=f"{len(tests)} files; {manifest.keys[tests[0]]}: {manifest.reasons[tests[0]]}",
            next_step="repair these files, or remove the test split: one is then made from the other images",
        )
