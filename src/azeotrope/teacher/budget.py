"""How many views a disk budget affords: arithmetic, before anything is computed."""

from __future__ import annotations

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.errors import InputError
from azeotrope.recipe import MAX_VIEWS

_CHECK, _HALF = 8, 2  # bytes of a row's checksum, and of one feature in half precision


def cache_bytes(features: int, train_images: int, other_images: int, views: int) -> int:
    """Bytes of a teacher cache: K views and the plain one of `train_images`, the plain one of `other_images`."""
    rows = train_images * (views - PLAIN) + other_images
    return rows * (_HALF * features + _CHECK)


def affordable_views(gigabytes: float, features: int, train_images: int, other_images: int) -> int:
    """The largest K, at most MAX_VIEWS, whose cache fits into `gigabytes` (10^9 bytes).

    Raises InputError when not even one view fits, with the budget that one view, and 16, would need.
    """
    room = gigabytes * 1e9 - cache_bytes(features, train_images, other_images, 0)
    a_view = train_images * (_HALF * features + _CHECK)
    if room >= a_view:  # not when it is no number
        return int(min(room / a_view, MAX_VIEWS))
    needed = {views: cache_bytes(features, train_images, other_images, views) / 1e9 for views in (1, 16)}
    raise InputError(
        "The teacher cache needs room for at least one view of each image",
        found=f"--cache-gb {gigabytes:g}",
        allowed=f"{needed[1]:.3g} GB for one view, {needed[16]:.3g} GB for 16, of {train_images:,} images",
        next_step="raise --cache-gb, train on fewer images, or take --views live, which stores no views",
    )
