"""Dividing images of which each belongs to one stratum: its class, or a range of its value.

Places refer to the order in which the strata are given, which is the order in which images of a stratum are taken.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.labelled_images import held_out_of


def held_out(strata: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Of each stratum the first images up to this share, at least one."""
    groups = (np.flatnonzero(strata == stratum) for stratum in np.unique(strata))
    return np.concatenate([places[: held_out_of(len(places), share)] for places in groups])


def spread(strata: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """`count` places, every beginning of which holds each stratum within 1 of its share.

    As soon as it reaches the number of strata each has an image; the shares hold once every stratum is due one.
    """
    present, counts = np.unique(strata, return_counts=True)
    members = [np.flatnonzero(strata == stratum) for stratum in present]
    used = [0] * len(present)
    places = np.empty(count, dtype=np.int64)
    for step, stratum in enumerate(islice(_turns(counts), count)):
        places[step] = members[stratum][used[stratum]]
        used[stratum] += 1
    return places


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
