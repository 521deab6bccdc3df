"""Which images train, which choose, which judge. Decided by content alone, so that everyone with the same images gets
the same splits.

It decides nothing at random: no seed enters here. Subsets of the training rows are `data.subset`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

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
    """Rows of the manifest, ascending. `dropped` counts copies of an image left out, `unreadable` files left out.

    `held_out` is the share that was asked for, None for the one that is taken where none is.
    """

    train: Int64[np.ndarray, " a"]
    val: Int64[np.ndarray, " b"]
    test: Int64[np.ndarray, " c"]
    dropped: int = 0
    unreadable: int = 0
    held_out: float | None = None


def split_task(manifest: Manifest, held_out: float = HELD_OUT) -> TaskSplits:
    """The three splits of a task.

    - A test split given by the source is kept whole; an image that is also in it leaves train and val. Without one,
      the share `held_out` of each class becomes test.
    - Elsewhere each image counts once: the copy in val stays rather than the one in train.
    - A val split given by the source is the validation pool. Without one, this share of each class of what is left
      becomes val.

    Which images are taken is decided by a hash of their content. Every class must have an image left for each split
    made here and one to train on: 3 images, or fewer where the source gives splits. Raises InputError otherwise. For
    several labels an image, or a number, "of each class" is what `kinds` makes of it. A share that was asked for and
    has nothing to divide is refused too.
    """
    _check_usable(manifest)
    rows = np.flatnonzero(manifest.readable)
    splits = np.array(manifest.splits, dtype="U5")[rows]
    kept = _unique(manifest, rows, splits)
    given = {name: rows[kept & (splits == name)] for name in ("val", "test")}
    pool = rows[kept & ~np.isin(splits, ("val", "test"))]
    made = [name for name, taken in given.items() if not len(taken)]
    _check_share(manifest, held_out, made)
    kind_named(manifest.kind).require(manifest.labels[pool], manifest.classes, made)
    test, pool = (given["test"], pool) if len(given["test"]) else _hold_out(manifest, pool, held_out)
    val, pool = (given["val"], pool) if len(given["val"]) else _hold_out(manifest, pool, held_out)
    for name, part in (("train", pool), ("val", val), ("test", test)):
        kind_named(manifest.kind).require_split(manifest.labels[part], manifest.classes, name)
    return TaskSplits(
        pool,
        val,
        test,
        dropped=int((~kept).sum()),
        unreadable=len(manifest.labels) - len(rows),
        held_out=None if held_out == HELD_OUT else held_out,
    )


def _unique(manifest: Manifest, rows: NDArray[np.int64], splits: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which of `rows` stay [len(rows)]: every test row, else the first copy, val before train, then by class (not by
    listing).
    """
    checksums = np.array(manifest.checksums)[rows]
    precedence = np.select([splits == "test", splits == "val"], [0, 1], 2)
    order = np.lexsort((rows, kind_named(manifest.kind).codes(manifest.labels[rows]), precedence, checksums))
    first = np.ones(len(rows), dtype=np.bool_)
    first[order[1:]] = checksums[order[1:]] != checksums[order[:-1]]
    stays: NDArray[np.bool_] = first | (splits == "test")
    return stays


def _hold_out(manifest: Manifest, pool: NDArray[np.int64], share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(taken, left): the share whose hash is lowest, at least one, of each class or as `Kind.held_out` says."""
    order = pool[np.argsort(ranks([manifest.checksums[row] for row in pool], _SALT), kind="stable")]
    held = np.sort(order[kind_named(manifest.kind).held_out(manifest.labels[order], share)])
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
            next_step="see `azeotrope check` for every file and its reason",
        )
    tests = [row for row, split in enumerate(manifest.splits) if split == "test"]
    if tests and not manifest.readable[tests].any():  # never replaced in silence by training images
        raise InputError(
            f"No image of the test split of {manifest.name} can be read",
            found=f"{len(tests)} files; {manifest.keys[tests[0]]}: {manifest.reasons[tests[0]]}",
            next_step="repair these files, or remove the test split: one is then made from the other images",
        )
