"""Nested, stratified subsets: the first 1,000 images of a seed are inside its first 2,000, in the task's own
proportions.

An image's place depends on (seed, content) and on the class counts, never on the listing's order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Int64
from numpy.typing import NDArray

from azeotrope.data._ranks import ranks
from azeotrope.errors import InputError


def subset(
    pool: Int64[np.ndarray, " a"],
    labels: Int64[np.ndarray, " n"],
    count: int,
    seed: int,
    checksums: Sequence[str],
) -> Int64[np.ndarray, " count"]:
    """`count` rows of `pool`, in the order in which they are added: every prefix is the subset of that size.

    `labels` and `checksums` are indexed by row. As soon as `count` reaches the number of classes each class has an
    image; once every class is due one by its share, class counts are within 1 of proportional. Raises InputError when
    `count` does not fit the pool.
    """
    if not 1 <= count <= len(pool):
        raise InputError(
            "A subset cannot be larger than the training images, nor empty",
            found=f"{count} asked",
            allowed=f"1 to {len(pool)} (test and validation images, copies and unreadable files are not counted)",
            next_step="ask for fewer images or add some",
        )
    order = pool[np.argsort(ranks([checksums[row] for row in pool], f"azeotrope/subset/{seed}"), kind="stable")]
    present, counts = np.unique(labels[pool], return_counts=True)
    members = [order[labels[order] == label] for label in present]
    used = [0] * len(present)
    rows = np.empty(count, dtype=np.int64)
    for place, kind in enumerate(islice(_turns(counts), count)):
        rows[place] = members[kind][used[kind]]
        used[kind] += 1
    return rows


def _turns(counts: NDArray[np.int64]) -> Iterator[int]:
    """Whose turn it is, image after image: the chairman assignment of Tijdeman 1980 (Discrete Mathematics 32), after
    one turn each.

    Turn j of a class with share p may not come before (j - 1 + e) / p nor after (j - e) / p, e = 1 / (2k - 2) for k
    classes; taking the earliest deadline among those that may come keeps every class within 1 of p times the turns so
    far.
    """
    shares = counts / counts.sum()
    slack = 1 / max(1, 2 * len(counts) - 2)
    first = np.argsort(-counts, kind="stable")
    yield from first.tolist()

    def window(kind: int, turn: int) -> tuple[float, float, int, int]:
        return (turn - 1 + slack) / shares[kind], (turn - slack) / shares[kind], kind, turn

    waiting = [window(kind, 2) for kind in range(len(counts)) if counts[kind] > 1]
    heapq.heapify(waiting)
    due: list[tuple[float, int, int]] = []
    for now in range(len(counts) + 1, int(counts.sum()) + 1):
        while waiting and (waiting[0][0] <= now or not due):
            _, deadline, kind, turn = heapq.heappop(waiting)
            heapq.heappush(due, (deadline, kind, turn))
        _, kind, turn = heapq.heappop(due)
        yield kind
        if turn < counts[kind]:
            heapq.heappush(waiting, window(kind, turn + 1))
