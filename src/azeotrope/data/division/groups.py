"""Images that belong together (a patient's, a film's, near copies of one picture): a division takes a group whole.

Shares are then as even as the groups allow. A group of one image is an image like any other. Which images form a group
is asked of the source (`data.sources._groups`) and of `data.listing.near`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Int64
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

Strata = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Pairs of an image's place and a stratum (class, range of values) that it is of, as `Kind.strata_of` gives them."""


def joined(
    rows: int, groups: Sequence[str] = (), pairs: Int64[np.ndarray, "pairs 2"] | None = None
) -> Int64[np.ndarray, " rows"]:
    """For each row the lowest row that it belongs together with: of the same group, or joined by a chain of `pairs`;
    itself where there is none.
    """
    links = [np.empty((0, 2), np.int64) if pairs is None else pairs]
    if groups:
        _, first, number = np.unique(np.array(groups), return_index=True, return_inverse=True)
        links.append(np.column_stack([np.arange(rows), first[number]]))
    ends = np.concatenate(links)
    if not len(ends):
        return np.arange(rows)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(rows, rows))
    part = connected_components(graph, directed=False)[1]
    lowest = np.unique(part, return_index=True)[1]
    return np.asarray(lowest[part], dtype=np.int64)


def with_company(units: NDArray[np.int64]) -> Bool[np.ndarray, " n"]:
    """Which images share their unit with another one."""
    _, number, counts = np.unique(units, return_inverse=True, return_counts=True)
    return np.asarray(counts[number] > 1)


def units_showing(units: NDArray[np.int64], strata: Strata, count: int) -> Int64[np.ndarray, " count"]:
    """In how many units each of the first `count` strata stands."""
    table = _table(units, strata, count)
    return np.asarray((table > 0).sum(axis=0), dtype=np.int64)[:count]


def divided(
    units: NDArray[np.int64],
    strata: Strata,
    rank: NDArray[np.uint64],
    share: float,
    alone: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    *,
    needed: int = 0,
    keep: int = 0,
) -> Bool[np.ndarray, " n"]:
    """Which images are taken when units are divided so that `share` of every stratum is taken, or nearly.

    Images that are alone in their unit come first: of their places, by `rank`, `alone` gives those to take. Then come
    the larger units, each to the side that is then nearer to its share, as in scikit-learn's StratifiedGroupKFold; of
    equal ones that with the lower rank. Of the first `needed` strata a unit is taken, and `keep`
    units stay, as far as that can be done.
    """
    first, number = np.unique(units, return_index=True, return_inverse=True)[1:]
    table, sizes = _table(units, strata, needed), np.bincount(number)
    whole = np.maximum(np.asarray(table.sum(axis=0)).ravel(), 1.0)
    free = np.asarray((table > 0).sum(axis=0)).ravel().astype(np.int64)  # units of a stratum that are not taken
    have, seen = np.zeros(len(whole)), np.zeros(len(whole))
    chosen = np.zeros(len(sizes), dtype=np.bool_)

    def content(unit: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        inside = slice(table.indptr[unit], table.indptr[unit + 1])
        return np.asarray(table.indices[inside], dtype=np.int64), np.asarray(table.data[inside], dtype=np.float64)

    def take(unit: int) -> None:
        kinds, images = content(unit)
        chosen[unit] = True
        have[kinds] += images
        free[kinds] -= 1

    def may(unit: int) -> bool:
        kinds = content(unit)[0]
        return bool((free[kinds[kinds < needed]] > keep).all())

    single = first[sizes == 1]
    single = single[np.argsort(rank[single], kind="stable")]
    if len(single):
        for unit in number[single].tolist():
            kinds, images = content(unit)
            seen[kinds] += images
        for unit in number[single[alone(single)]].tolist():
            take(unit)
    order = np.lexsort((_unit_ranks(rank, number), -sizes))
    for unit in order[sizes[order] > 1].tolist():
        kinds, images = content(unit)
        seen[kinds] += images
        short = share * seen[kinds] - have[kinds]
        nearer = (((short - images) ** 2 - short**2) / whole[kinds]).sum() < 0
        if nearer and may(unit):
            take(unit)
    for stratum in np.argsort(free, kind="stable").tolist():
        if stratum < needed and have[stratum] == 0:
            _take_for(stratum, table, order[~chosen[order]], may, take)
    if not chosen.any() and len(order) > 1:
        take(int(order[-1]))
    return np.asarray(chosen[number])


def _take_for(
    stratum: int, table: csr_array, units: NDArray[np.int64], may: Callable[[int], bool], take: Callable[[int], None]
) -> None:
    """The smallest unit that shows a stratum of which none was taken."""
    shown = np.asarray(table[:, [stratum]].todense()).ravel()
    for unit in units[::-1].tolist():
        if shown[unit] and may(unit):
            take(unit)
            return


def in_turn(
    units: NDArray[np.int64], strata: Strata, rank: NDArray[np.uint64], count: int
) -> Int64[np.ndarray, " count"]:
    """Places of `count` images, unit after unit, in an order of which every beginning is alike in strata to the whole,
    as far as units allow: the next one shows the stratum that is furthest behind its share.

    Of equal ones the lower rank comes first, whatever their sizes, and so within a unit. The last unit may be cut.
    """
    first, number = np.unique(units, return_index=True, return_inverse=True)[1:]
    table = _table(units, strata, 0)
    shares = np.asarray(table.sum(axis=0)).ravel() / len(units)
    behind = np.where(shares > 0, 0.0, np.inf)
    by_rank = np.argsort(_unit_ranks(rank, number), kind="stable")
    by_stratum = table.tocsc()
    place = np.empty(len(first), np.int64)
    place[by_rank] = np.arange(len(first))
    waiting = [
        iter(
            sorted(by_stratum.indices[by_stratum.indptr[k] : by_stratum.indptr[k + 1]].tolist(), key=place.__getitem__)
        )
        for k in range(len(shares))
    ]
    members = np.split(np.lexsort((rank, number)), np.cumsum(np.bincount(number))[:-1])
    rarest_first = np.argsort(shares, kind="stable")
    used = np.zeros(len(first), dtype=np.bool_)
    found: list[NDArray[np.int64]] = []
    images = 0
    while images < count:
        wanted = rarest_first[np.argmin(behind[rarest_first])]
        unit = next((each for each in waiting[wanted] if not used[each]), None)
        if unit is None:
            behind[wanted] = np.inf
            continue
        used[unit] = True
        found.append(members[unit])
        images += len(members[unit])
        inside = slice(table.indptr[unit], table.indptr[unit + 1])
        kinds = table.indices[inside]
        behind[kinds] += table.data[inside] / shares[kinds]
    return np.concatenate(found)[:count]


def _unit_ranks(rank: NDArray[np.uint64], number: NDArray[np.int64]) -> NDArray[np.float64]:
    """A rank for each unit, uniform whatever its size: the lowest of s uniform numbers, u, as 1 - (1 - u)^s."""
    lowest = np.full(int(number.max(initial=-1)) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(lowest, number, rank)
    share = np.minimum(lowest / 2.0**64, 1 - 2.0**-53)
    return np.asarray(-np.expm1(np.bincount(number) * np.log1p(-share)))


def _table(units: NDArray[np.int64], strata: Strata, least: int) -> csr_array:
    """Images of each stratum in each unit, units by ascending number."""
    number = np.unique(units, return_inverse=True)[1]
    rows, kinds = strata
    width = max(least, int(kinds.max(initial=-1)) + 1)
    shape = (int(number.max(initial=-1)) + 1, width)
    return csr_array(coo_array((np.ones(len(rows)), (number[rows], kinds)), shape=shape))
