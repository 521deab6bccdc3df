"""Balanced sampling: an order of the training images in which every class comes as often as any other.

An epoch is as long as without it: what a small class gains, a large one loses. The order depends on labels, seed and
epoch alone, so a training that was killed goes on with it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from azeotrope.data.philox import permutation, uniforms

_PASSES, _PLACES = 1 << 24, 1 << 25  # streams of their own, beyond the epochs'


def balanced_order(labels: Int64[np.ndarray, " n"], seed: int, epoch: int) -> Int64[np.ndarray, " n"]:
    """Places of n images, one a step of the way: each class that occurs in `labels` n / C times, give or take one.

    The images of a class come in turn, all of them before one comes again, over epochs too (but for an image or so of
    an epoch where n is no multiple of C). A class is spread evenly over the epoch.
    """
    count, key = len(labels), np.uint64(seed) << np.uint64(32)
    _, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    least, more = divmod(count, len(sizes))
    draws = np.full(len(sizes), least)
    draws[permutation(len(sizes), seed, epoch)[:more]] += 1
    images = np.split(np.argsort(numbers, kind="stable"), np.cumsum(sizes)[:-1])
    shown = np.empty(count, np.int64)
    when = uniforms(np.arange(count, dtype=np.uint64) | key, _PLACES + epoch, 1)[:, 0]
    done = 0
    for own, size, drawn in zip(images, sizes.tolist(), draws.tolist(), strict=True):
        turns = epoch * (least + bool(more)) + np.arange(drawn)
        here = slice(done, done + drawn)
        for turn in range(turns[0] // size, turns[-1] // size + 1):
            order = np.argsort(uniforms(own.astype(np.uint64) | key, _PASSES + turn, 1)[:, 0], kind="stable")
            now = turns // size == turn
            shown[here][now] = own[order][turns[now] % size]
        when[here] = (np.arange(drawn) + when[here]) / drawn
        done += drawn
    return shown[np.argsort(when, kind="stable")]
