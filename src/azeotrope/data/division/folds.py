"""K folds: the labelled images are cut into K parts, each of which is the test set once. For sets so small that the
test images of one split decide little.

Cut by content alone, as `data.division.split`: no seed enters. What a fold leaves is divided into training and
validation as that module does it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from azeotrope.data._ranks import ranks
from azeotrope.data.division.divisible import SHOWN, Usable, usable
from azeotrope.data.division.groups import joined, units_showing, with_company
from azeotrope.data.division.split import Fold, TaskSplits, parts
from azeotrope.data.listing.manifest import Manifest
from azeotrope.errors import InputError
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds.single import shortened
from azeotrope.plan import FEWEST_FOLDS, HELD_OUT

_SALT = "azeotrope/folds"


def fold_splits(
    manifest: Manifest,
    folds: int,
    near: Int64[np.ndarray, "pairs 2"] | None = None,
    *,
    keep_leaks: bool = False,
) -> tuple[TaskSplits, ...]:
    """The splits of a task, one a fold: its test set is the fold, each image in one of them.

    Folds are alike in labels and in size, as far as groups and near copies (`near`, pairs of rows) allow, which stay in
    one fold. Of what is left, a fifth of each class validates and the rest trains, unless the source gives a validation
    split: that one validates in every fold and is never tested. Which fifth is drawn for each fold anew: by one draw
    the same images would validate in all folds and train in none. Raises InputError where the source gives a test
    split, where a class has fewer images or groups than there are folds, and for images that make no task.
    """
    _check_number(folds)
    found = usable(manifest, keep_leaks=keep_leaks)
    if len(found.given["test"]):
        raise _test_split_given(manifest, found.given["test"])
    kind_named(manifest.kind).require(manifest.labels[found.pool], manifest.classes, ("test", "val"))
    count = len(manifest.labels)
    together: int | None = int(with_company(joined(count, pairs=near)[found.pool]).sum())
    grouped = joined(count, manifest.groups)
    try:
        units = joined(count, manifest.groups, near) if together else grouped
        cut = _cut(manifest, found, units, folds)
    except InputError:
        if not together:
            raise
        units, together = grouped, None  # a class of which nearly all images are one picture
        cut = _cut(manifest, found, units, folds)
    return tuple(
        TaskSplits(
            *rows,
            dropped=found.dropped,
            unreadable=found.unreadable,
            contradictory=found.contradictory,
            together=together,
            units=units if manifest.groups else None,
            torn=len(found.torn),
            fold=Fold(number, folds),
        )
        for number, rows in enumerate(cut, start=1)
    )


def _cut(
    manifest: Manifest, found: Usable, units: NDArray[np.int64], folds: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Training, validation and test of every fold."""
    pool = found.pool
    _require_enough(manifest, pool, units, folds)
    number = assigned(manifest, pool, units, folds)
    _require_every_class(manifest, pool, number, folds)
    given = [{"test": pool[number == fold], "val": found.given["val"]} for fold in range(folds)]
    return [
        parts(manifest, pool[number != fold], given[fold], units, HELD_OUT, f"{_SALT}/validation {fold + 1} of {folds}")
        for fold in range(folds)
    ]


def assigned(
    manifest: Manifest, pool: NDArray[np.int64], units: NDArray[np.int64], folds: int
) -> Int64[np.ndarray, " pool"]:
    """The fold, from 0, of each row of `pool`.

    Larger units come first, then those that show the rarest stratum, and each goes where its strata are furthest behind
    an even share; of equal folds to the one with the fewest images: scikit-learn's StratifiedGroupKFold, but for ties.
    """
    strata = kind_named(manifest.kind).strata_of(manifest.labels[pool])
    number = np.unique(units[pool], return_inverse=True)[1]
    sizes, table = np.bincount(number), _table(number, strata)
    whole = np.maximum(np.bincount(table.strata, table.images), 1.0)
    rank = np.full(len(sizes), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(rank, number, ranks([manifest.checksums[row] for row in pool], _SALT))
    rarest, kind = table.rarest(whole)
    have, images = np.zeros((folds, len(whole))), np.zeros(folds, dtype=np.int64)
    chosen = np.empty(len(sizes), dtype=np.int64)
    for unit in np.lexsort((rank, kind, rarest, -sizes)).tolist():
        here = slice(table.starts[unit], table.starts[unit + 1])
        shown = table.strata[here]
        after = have[:, shown] + table.images[here]
        cost = ((after**2 - have[:, shown] ** 2) / whole[shown]).sum(axis=1)
        fold = int(np.lexsort((np.arange(folds), images, np.round(cost, 9)))[0])
        chosen[unit] = fold
        have[fold, shown] = after[fold]
        images[fold] += sizes[unit]
    return np.asarray(chosen[number])


@dataclass(frozen=True, eq=False)
class _Table:
    """Images of each stratum in each unit, of those that occur: a few a unit, where all would be units times classes.
    Those of unit u are `strata` and `images` from `starts[u]` to `starts[u + 1]`, by rising stratum.
    """

    starts: NDArray[np.int64]
    strata: NDArray[np.int64]
    images: NDArray[np.int64]

    def rarest(self, whole: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """How many images the rarest stratum of each unit has in all, and which it is; without end and 0 where a unit
        shows none.
        """
        units = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        order = np.lexsort((self.strata, whole[self.strata], units))
        own, first = np.unique(units[order], return_index=True)
        counts, kind = np.full(len(self.starts) - 1, np.inf), np.zeros(len(self.starts) - 1, np.int64)
        kind[own] = self.strata[order[first]]
        counts[own] = whole[kind[own]]
        return counts, kind


def _table(number: NDArray[np.int64], strata: tuple[NDArray[np.int64], NDArray[np.int64]]) -> _Table:
    """Of images by the unit of each, and strata as a kind of task gives them: places of images, and what they show."""
    places, kinds = strata
    pairs, images = np.unique(np.stack([number[places], kinds]), axis=1, return_counts=True)
    starts = np.searchsorted(pairs[0], np.arange(int(number.max()) + 2))
    return _Table(starts, pairs[1], images)


def _check_number(folds: int) -> None:
    if folds < FEWEST_FOLDS:
        raise InputError(
            "Folds take turns as the test set, so there are two at least",
            found=f"--folds {folds}",
            allowed="2 or more, such as 5",
            next_step="give another --folds, or leave it out for one test split",
        )


def _test_split_given(manifest: Manifest, rows: NDArray[np.int64]) -> InputError:
    return InputError(
        f"{manifest.name} comes with a test split, which decides: nothing is cut into folds",
        found=f"{len(rows):,} test images given",
        allowed="--folds for a set without a test split",
        next_step="leave --folds out, or take these images out of their split",
    )


def _require_enough(manifest: Manifest, pool: NDArray[np.int64], units: NDArray[np.int64], folds: int) -> None:
    """Every class must stand in as many images, or groups, as there are folds; and in three, to train and validate."""
    kind = kind_named(manifest.kind)
    need, what = max(folds, 3), "groups" if manifest.groups else "images"
    whole = len(np.unique(units[pool]))
    counts = units_showing(
        units[pool], kind.strata_of(manifest.labels[pool]), kind.needed_strata(len(manifest.classes))
    )
    short = {shortened(manifest.classes[label]): int(counts[label]) for label in np.flatnonzero(counts < need)}
    if whole < need:
        short = {"the set": whole}
    if short:
        listed = ", ".join(f"{name} in {count}" for name, count in list(short.items())[:SHOWN])
        most = min(short.values())
        raise InputError(
            f"Each class must stand in as many {what} as there are folds, and in 3 at least: one for every test set",
            found=f"--folds {folds}; {listed}"
            + (f" and {len(short) - SHOWN} classes more" if len(short) > SHOWN else "")
            + " (near copies count as one)",
            allowed=f"2 to {most} folds here" if most >= 3 else f"no folds with so few {what}",
            next_step="take fewer folds, add images to these classes, or leave them out",
        )


def _require_every_class(manifest: Manifest, pool: NDArray[np.int64], number: NDArray[np.int64], folds: int) -> None:
    """Groups may tear classes apart unevenly; a fold that lacks a class would not test it."""
    kind, classes = kind_named(manifest.kind), len(manifest.classes)
    lacking = []
    for fold in range(folds):
        counts = kind.counts(manifest.labels[pool[number == fold]], classes)[: kind.needed_strata(classes)]
        if (counts == 0).any():
            lacking.append(f"fold {fold + 1} has no {shortened(manifest.classes[int(counts.argmin())])}")
    if lacking:
        raise InputError(
            "Every fold must show every class, and whole groups cannot be divided so",
            found=", ".join(lacking[:SHOWN]) + (f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""),
            allowed="folds in each of which every class has a group",
            next_step="take fewer folds, or add groups that show these classes",
        )
