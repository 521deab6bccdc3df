"""What there is to divide of a set: which images count, once each, and those that the source has put into a split.

It decides nothing about who trains and who tests: that is `data.division.split` and `data.division.folds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from azeotrope.data.listing.manifest import Manifest
from azeotrope.errors import InputError
from azeotrope.kinds._kind import kind_named
from azeotrope.kinds.single import shortened

SHOWN = 3


@dataclass(frozen=True, eq=False)
class Usable:
    """The rows that are to be divided (`pool`), those that the source has put somewhere (`given`), how many were left
    out, and the groups that stand in several given splits.
    """

    pool: Int64[np.ndarray, " a"]
    given: Mapping[str, Int64[np.ndarray, " b"]]
    dropped: int
    unreadable: int
    contradictory: int
    torn: Mapping[str, Sequence[str]]


def usable(manifest: Manifest, *, keep_leaks: bool = False) -> Usable:
    """What there is to divide. Raises InputError for a set that makes no task, however it is divided."""
    _check_usable(manifest)
    rows = np.flatnonzero(manifest.readable)
    splits = np.array(manifest.splits, dtype="U5")[rows]
    kept, contradictory = _unique(manifest, rows, splits)
    given = {name: rows[kept & (splits == name)] for name in ("val", "test")}
    pool = rows[kept & ~np.isin(splits, ("val", "test"))]
    torn = torn_groups(manifest, {"train": pool, **given})
    if torn and not keep_leaks:
        raise _groups_in_both(manifest, torn)
    left_out = int((~kept).sum()) - contradictory
    return Usable(pool, given, left_out, len(manifest.labels) - len(rows), contradictory, torn)


def torn_groups(manifest: Manifest, parts: Mapping[str, NDArray[np.int64]]) -> dict[str, tuple[str, ...]]:
    """The groups whose images are in several of these parts, with the names of the parts."""
    where: dict[str, dict[str, None]] = {}
    for name, rows in parts.items() if manifest.groups else ():
        for row in rows.tolist():
            where.setdefault(manifest.groups[row], {})[name] = None
    return {group: tuple(names) for group, names in where.items() if len(names) > 1}


def _groups_in_both(manifest: Manifest, torn: Mapping[str, Sequence[str]]) -> InputError:
    listed = "; ".join(f"{group!r} in {' and '.join(names)}" for group, names in list(torn.items())[:SHOWN])
    return InputError(
        f"A group must be in one of the given splits only, and {len(torn):,} of "
        f"{len(set(manifest.groups)):,} groups of {manifest.name} are in several",
        found=listed + (f" and {len(torn) - SHOWN:,} more" if len(torn) > SHOWN else ""),
        allowed="splits that hold whole groups: an error on test images whose group was trained on flatters",
        next_step="give splits that keep groups apart or none at all, or insist with --keep-leaks",
    )


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
