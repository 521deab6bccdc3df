"""Which images train, which choose, which judge. Decided by content alone, so that everyone with the same images gets
the same splits.

It decides nothing at random: no seed enters here. Subsets of the training rows are `data.division.subset`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from azeotrope.data._ranks import ranks
from azeotrope.data.division.divisible import usable
from azeotrope.data.division.groups import divided, joined, units_showing, with_company
from azeotrope.data.listing.manifest import Manifest
from azeotrope.errors import InputError
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds.single import shortened
from azeotrope.plan import HELD_OUT

MOST_HELD_OUT = 0.5
SHOWN = 3
SALT = "azeotrope/split"


@dataclass(frozen=True)
class Fold:
    """Number `number` (from 1) of `of` parts that the labelled images were cut into; it is the test set."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number} of {self.of}"


@dataclass(frozen=True, eq=False)
class TaskSplits:
    """Rows of the manifest, ascending. `dropped` counts copies of an image left out, `unreadable` files left out,
    `contradictory` images left out because their copies carry different labels. `together` counts images that were kept
    on one side of the splits made here because they are near copies; None where that could not be done.
    `held_out` is the share that was asked for, None for the one that is taken where none is. `units` says, where groups
    were named, which rows belong together: the lowest row of each row's group. `torn` counts the groups that stand in
    several of the given splits, where that was insisted on. `fold` says which of several folds is the test set.
    """

    train: Int64[np.ndarray, " a"]
    val: Int64[np.ndarray, " b"]
    test: Int64[np.ndarray, " c"]
    dropped: int = 0
    unreadable: int = 0
    contradictory: int = 0
    together: int | None = 0
    held_out: float | None = None
    units: Int64[np.ndarray, " n"] | None = None
    torn: int = 0
    fold: Fold | None = None


def split_task(
    manifest: Manifest,
    held_out: float = HELD_OUT,
    near: Int64[np.ndarray, "pairs 2"] | None = None,
    *,
    keep_leaks: bool = False,
) -> TaskSplits:
    """The three splits of a task.

    - A test split given by the source is kept whole; an image that is also in it leaves train and val. Without one,
      the share `held_out` of each class becomes test.
    - Elsewhere each image counts once: the copy in val stays rather than the one in train. Where copies in one split
      carry different labels, nobody knows which is right: none of them stays.
    - A val split given by the source is the validation pool. Without one, this share of each class of what is left
      becomes val.
    - Images of one group, and near copies (`near`, pairs of rows), are in one of the splits made here, all of them.
      Groups that stand in several given splits are refused, unless `keep_leaks` says that they may.

    Which images are taken is decided by a hash of their content. Every class must have an image (and a group) left for
    each split made here and one to train on: 3, or fewer where the source gives splits. Raises InputError otherwise.
    For several labels an image, or a number, "of each class" is what `kinds` makes of it. A share that was asked for
    and has nothing to divide is refused too.
    """
    found = usable(manifest, keep_leaks=keep_leaks)
    pool, given = found.pool, found.given
    made = [name for name, taken in given.items() if not len(taken)]
    _check_share(manifest, held_out, made)
    kind_named(manifest.kind).require(manifest.labels[pool], manifest.classes, made)
    count = len(manifest.labels)
    together: int | None = int(with_company(joined(count, pairs=near)[pool]).sum()) if made else 0
    units = joined(count, manifest.groups, near if together else None)
    try:
        train, val, test = parts(manifest, pool, given, units, held_out)
    except InputError:
        if not together:
            raise
        units, together = joined(count, manifest.groups), None  # a class of which nearly all images are one picture
        train, val, test = parts(manifest, pool, given, units, held_out)
    return TaskSplits(
        train,
        val,
        test,
        dropped=found.dropped,
        unreadable=found.unreadable,
        contradictory=found.contradictory,
        together=together,
        held_out=None if held_out == HELD_OUT else held_out,
        units=units if manifest.groups else None,
        torn=len(found.torn),
    )


def torn_copies(
    manifest: Manifest, splits: TaskSplits, near: Int64[np.ndarray, "pairs 2"]
) -> Mapping[Literal["val", "test"], int]:
    """Images in validation and in test that are near copies (`near`, pairs of rows) of one in an earlier split, where
    the source gives the split of either.

    Of exact copies a pair names the first, which may be in no split: what is compared is content.
    """
    content = np.unique(np.array(manifest.checksums), return_inverse=True)[1]
    stage, given = np.full(len(content), -1), np.zeros(len(content), dtype=bool)
    for place, rows in enumerate((splits.train, splits.val, splits.test)):
        stage[content[rows]] = place
        given[content[rows]] = np.isin(np.array(manifest.splits)[rows], ("val", "test"))
    ends = content[near]
    stages = stage[ends]
    across = (stages.min(axis=1) >= 0) & (stages[:, 0] != stages[:, 1]) & given[ends].any(axis=1)
    later = ends[across, stages[across].argmax(axis=1)]
    return {
        "val": int(np.isin(content[splits.val], later).sum()),
        "test": int(np.isin(content[splits.test], later).sum()),
    }


def parts(
    manifest: Manifest,
    pool: NDArray[np.int64],
    given: Mapping[str, NDArray[np.int64]],
    units: NDArray[np.int64],
    share: float,
    salt: str = SALT,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Training, validation and test, of which those that are not given are made of the pool; by another `salt` other
    images are held out.
    """
    found, made = dict(given), [name for name in ("test", "val") if not len(given[name])]
    for place, name in enumerate(made):
        left = len(made) - place
        require_units(manifest, pool, units, made[place:])
        found[name], pool = _hold_out(manifest, pool, units, share, keep=left, salt=salt)
    for name, part in (("train", pool), *((name, found[name]) for name in ("val", "test"))):
        kind_named(manifest.kind).require_split(manifest.labels[part], manifest.classes, name)
    return pool, found["val"], found["test"]


def require_units(manifest: Manifest, pool: NDArray[np.int64], units: NDArray[np.int64], made: Sequence[str]) -> None:
    """Raises InputError when a class does not stand in a group for each split to be made and one to train on."""
    kind, need, whole = kind_named(manifest.kind), 1 + len(made), units[pool]
    each = ", ".join(("train", *(name for name in ("val", "test") if name in made)))
    names = {int(unit): manifest.groups[unit] for unit in np.unique(whole)} if manifest.groups else {}
    if len(np.unique(whole)) < need:
        raise InputError(
            "A group is in one split only, so there must be several",
            found=f"{len(np.unique(whole))} for {len(pool):,} images: {', '.join(map(repr, names.values()))}",
            allowed=f"at least {need} groups: 1 each for {each}",
            next_step="name what tells more groups apart, or leave --group and --group-by out",
        )
    strata = kind.strata_of(manifest.labels[pool])
    counts = units_showing(whole, strata, kind.needed_strata(len(manifest.classes)))
    short = np.flatnonzero(counts < need)
    if len(short):
        where = {label: np.unique(whole[strata[0][strata[1] == label]]).tolist() for label in short[:SHOWN].tolist()}
        listed = ", ".join(
            f"{shortened(manifest.classes[label])} in {counts[label]} ({', '.join(repr(names.get(u, '')) for u in us)})"
            for label, us in where.items()
        )
        raise InputError(
            "A class lives in too few groups: a group is in one split only",
            found=listed + (f" and {len(short) - SHOWN} classes more" if len(short) > SHOWN else ""),
            allowed=f"at least {need} groups a class: 1 each for {each}",
            next_step="add images of other groups, leave these classes out, or give the splits in the data",
        )


def _hold_out(
    manifest: Manifest, pool: NDArray[np.int64], units: NDArray[np.int64], share: float, keep: int, salt: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(taken, left): the share whose hash is lowest, at least one, of each class or as `Kind.held_out` says; of images
    that belong together all or none (`data.division.groups`). `keep` groups of each class stay.
    """
    kind, labels = kind_named(manifest.kind), manifest.labels[pool]
    rank = ranks([manifest.checksums[row] for row in pool], salt)
    held = divided(
        units[pool],
        kind.strata_of(labels),
        rank,
        share,
        lambda places: kind.held_out(labels[places], share),
        needed=kind.needed_strata(len(manifest.classes)),
        keep=keep,
    )
    return pool[held], pool[~held]


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
