"""Balanced sampling: an order of the training images in which every class comes as often as any other.

An epoch is as long as without it: what a small class gains, a large one loses. The order depends on labels, seed, epoch
and how many places an epoch has, so a training that was killed goes on with it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from azeotrope.data.augmentation.philox import permutation, uniforms

_PASSES, _PLACES = 1 << 24, 1 << 25  # streams of their own, beyond the epochs'


class Order(NamedTuple):
    """What the places of an epoch show: `images` [m], and how often each had been shown before, over all epochs
    (`passes` [m]).
    """

    images: Int64[np.ndarray, " m"]
    passes: Int64[np.ndarray, " m"]


def balanced_order(labels: Int64[np.ndarray, " n"], places: int, seed: int, epoch: int) -> Order:
    """Places of the n images, for an epoch that shows `places` of them: each class that occurs in `labels` places / C
    times, give or take one.

    The images of a class come in turn, all of them before one comes again, over epochs too. A class is spread evenly
    over the epoch.
    """
    key = np.uint64(seed) << np.uint64(32)
    _, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    before, after = (_shown_until(places, len(sizes), seed, epochs) for epochs in (epoch, epoch + 1))
    images = np.split(np.argsort(numbers, kind="stable"), np.cumsum(sizes)[:-1])
    shown, passes = np.empty(places, np.int64), np.empty(places, np.int64)
    when = uniforms(np.arange(places, dtype=np.uint64) | key, _PLACES + epoch, 1)[:, 0]
    done = 0
    for own, size, first, last in zip(images, sizes.tolist(), before.tolist(), after.tolist(), strict=True):
        here, turns = slice(done, done + last - first), np.arange(first, last)
        passes[here] = turns // size
        for turn in np.unique(passes[here]).tolist():
            order = np.argsort(uniforms(own.astype(np.uint64) | key, _PASSES + turn, 1)[:, 0], kind="stable")
            now = passes[here] == turn
            shown[here][now] = own[order][turns[now] % size]
        when[here] = (np.arange(len(turns)) + when[here]) / max(1, len(turns))
        done = here.stop
    order = np.argsort(when, kind="stable")
    return Order(shown[order], passes[order])


def _shown_until(places: int, classes: int, seed: int, epochs: int) -> Int64[np.ndarray, " C"]:
    """Images of each class in the first `epochs` epochs. What is left of an epoch when all classes have as many goes
    to the next classes in turn.
    """
    least, more = divmod(places, classes)
    turn = permutation(classes, seed, 0)
    return least * epochs + (more * epochs - turn + classes - 1) // classes
