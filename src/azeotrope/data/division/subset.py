"""Nested, stratified subsets: the first 1,000 images of a seed are inside its first 2,000, in the task's own
proportions.

An image's place depends on (seed, content) and on the labels, never on the listing's order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from azeotrope.data._ranks import ranks
from azeotrope.data.division.groups import in_turn
from azeotrope.errors import InputError
from azeotrope.kinds._kind import Kind, Labels
from azeotrope.kinds.single import KIND as SINGLE


def subset(
    pool: Int64[np.ndarray, " a"],
    labels: Labels,
    count: int,
    seed: int,
    checksums: Sequence[str],
    kind: Kind = SINGLE,
    units: Int64[np.ndarray, " n"] | None = None,
) -> Int64[np.ndarray, " count"]:
    """`count` rows of `pool`, in the order in which they are added: every prefix is the subset of that size.

    `labels` and `checksums` are indexed by row. As soon as `count` reaches the number of classes each class has an
    image; once every class is due one by its share, class counts are within 1 of proportional. So are the counts of
    ranges of a number; of several labels an image, the shares hold approximately (`Kind.spread`). With `units` (which
    images belong together, by row) group after group is added, the last one in part, and all of this holds as far as
    groups allow. Raises InputError when `count` does not fit the pool.
    """
    if not 1 <= count <= len(pool):
        raise InputError(
            "A subset cannot be larger than the training images, nor empty",
            found=f"{count} asked",
            allowed=f"1 to {len(pool)} (test and validation images, copies and unreadable files are not counted)",
            next_step="ask for fewer images or add some",
        )
    rank = ranks([checksums[row] for row in pool], salt_of(seed))
    if units is not None:
        return np.asarray(pool[in_turn(units[pool], kind.strata_of(labels[pool]), rank, count)])
    order = pool[np.argsort(rank, kind="stable")]
    return order[kind.spread(labels[order], count)]


def salt_of(seed: int) -> str:
    """What orders the images of this seed (`data._ranks`)."""
    return f"azeotrope/subset/{seed}"
