"""Which images a command will pack, said of each as soon as its content is known, before the others are read.

Splits and subsets take the images whose hash is lowest in their class (`data.division.split`, `data.division.subset`),
so a hash tells where its image will be, but for what chance and near copies move. An image near a border is foreseen on
both sides. A wrong word costs time: what was not foreseen is decoded again when it is packed, and what was in vain is
not read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from azeotrope.data._ranks import rank_of
from azeotrope.data.division.split import SALT
from azeotrope.data.division.subset import salt_of
from azeotrope.data.sources._source import Source
from azeotrope.kinds._kind import kind_named
from azeotrope.plan import HELD_OUT
from azeotrope.record.labelled_images import validation_images

Part: TypeAlias = Literal["train", "val", "test"]
_WIDTH = 2.0  # standard deviations of chance on either side of a border


@dataclass(frozen=True)
class Asked:
    """What a plan says of the images before they are read: how many train at most (None: all), in which subsets
    (`seeds`), and the share held out of splits that are not given, or the number of `folds`.
    """

    train_images: int | None
    seeds: tuple[int, ...]
    held_out: float = HELD_OUT
    folds: int | None = None


class ForeseenRows:
    """The parts of a source's images. `of(row, checksum)` says in which of them an image will be used."""

    def __init__(self, source: Source, asked: Asked, strata: NDArray[np.int64]) -> None:
        self._splits = [item.split for item in source.items]
        self._strata, self._asked, given = strata, asked, set(self._splits)
        test = 0.0 if "test" in given or asked.folds else asked.held_out
        val = 0.0 if "val" in given else (1 - test) * (HELD_OUT if asked.folds else asked.held_out)
        self._test, self._held = test, test + val
        own = np.array([split in ("", "train") for split in self._splits])
        chosen = np.array([split == "val" for split in self._splits])
        self._divided = np.bincount(strata[own], minlength=int(strata.max()) + 1)
        held = self._divided * val if val else np.bincount(strata[chosen], minlength=len(self._divided))
        self._sizes = {"train": self._divided * (1 - self._held), "val": held}  # images of each stratum
        trains = float(self._sizes["train"].sum()) * (1 - 1 / asked.folds if asked.folds else 1)
        most = len(strata) if asked.train_images is None else asked.train_images
        chooses = validation_images(most, len(self._divided), int(held.sum()))
        self._shares = {
            "train": min(1.0, most / max(1, trains)),
            "val": min(1.0, chooses / max(1.0, float(held.sum()))),
        }

    def of(self, row: int, checksum: str) -> set[Part]:
        """The parts that may use this image."""
        stratum = int(self._strata[row])
        found = self._parts(row, checksum, int(self._divided[stratum]))
        ranks = [rank_of(checksum, salt_of(seed)) for seed in self._asked.seeds]
        return {part for part in found if part == "test" or min(ranks) < self._border(part, stratum)}

    def _border(self, part: Part, stratum: int) -> float:
        """The rank below which an image of this part is in the largest subset; every class has one there."""
        size = max(1.0, float(self._sizes[part][stratum]))
        share = max(self._shares[part], 1 / size)
        return share + _chance(share, size)

    def _parts(self, row: int, checksum: str, divided: int) -> set[Part]:
        split = self._splits[row]
        if split in ("val", "test"):
            return {split}
        if self._asked.folds:
            return {"test", "train"}  # each is tested once, which is all that needs those that validate
        rank, found = rank_of(checksum, SALT), set[Part]()
        if self._test and rank < self._test + _chance(self._test, divided):
            found.add("test")
        if self._held > self._test and (
            self._test - _chance(self._test, divided) <= rank < self._held + _chance(self._held, divided)
        ):
            found.add("val")
        if rank >= self._held - _chance(self._held, divided):
            found.add("train")
        return found


def foreseen_rows(source: Source, asked: Asked) -> ForeseenRows | None:
    """None where hashes do not tell: where images go by groups, where one has several labels, or where a formula draws
    them, so that nothing is decoded.
    """
    items = source.items
    if not items or source.formula is not None or any(item.group for item in items):
        return None
    kind = kind_named(source.kind)
    places, strata = kind.strata_of(kind.array([item.label for item in items], len(source.classes)))
    if not np.array_equal(places, np.arange(len(items))):
        return None
    return ForeseenRows(source, asked, strata)


def _chance(share: float, count: float) -> float:
    """How far the border of this share may lie from it among so many ranks drawn at random, and one image more."""
    share = min(max(share, 0.0), 1.0)
    count = max(1.0, count)
    return _WIDTH * math.sqrt(share * (1 - share) / count) + 1 / count if share else 0.0
