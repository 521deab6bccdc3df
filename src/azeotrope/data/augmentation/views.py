"""Replayable augmentation: a view is a function of (image, view number, policy) and of nothing else.

Teacher and student see the same pixels of the world whenever they meet, each at its own resolution, today or after a
restart, in any order and any batch. The parameters of a view come from a counter-based generator (`philox`); the pixels
are made of them where the network is (`render`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.augmentation.philox import uniforms
from azeotrope.recipe import ViewPolicy

RENDERING = 2  # raise when the pixels of a view change: what was computed from the old ones is then not read any more
PLAIN = -1  # the view number of the image as it is: whole, not mirrored, colours untouched
PARAMETERS = (
    *("top", "left", "height", "width", "mirror"),
    *("brightness", "contrast", "saturation"),
    *("cut_top", "cut_left"),
)
_DRAWS = 10
Number = int | NDArray[np.int64]  # of a view: one for all images, or one for each [B]

Array = TypeVar("Array")


@dataclass(frozen=True)
class Views(Generic[Array]):
    """B views: `values` [B, 10], float32, has the PARAMETERS of each in its columns.

    A box in shares of the picture's height and width, and 1 where it is mirrored; factors of the colours, 1 leaves as
    is; the corner of the square that is blanked, which may lie outside, in shares of the view. `cutout` is the side of
    that square, 0 where nothing is blanked.
    """

    values: Array
    cutout: float = 0.0

    def column(self, name: str) -> Array:
        """One parameter of all views [B]."""
        return cast("Array", cast("Any", self.values)[:, PARAMETERS.index(name)])


def draw(policy: ViewPolicy, images: NDArray[np.uint64], view: Number) -> Views[NDArray[Any]]:
    """Parameters of view `view` of each image. `images`: identities [B] (from the checksum, not the position)."""
    if isinstance(view, int) and view == PLAIN:
        return _plain(len(images))
    u = uniforms(images, view, _DRAWS)
    area = _between(u[:, 0], *policy.crop_area)
    log_low, log_high = np.log(policy.crop_aspect)
    aspect = np.exp(_between(u[:, 1], log_low, log_high))
    height = np.minimum(np.sqrt(area / aspect), 1.0)
    width = np.minimum(np.sqrt(area * aspect), 1.0)
    parameters = {
        "top": u[:, 2] * (1 - height),
        "left": u[:, 3] * (1 - width),
        "height": height,
        "width": width,
        "mirror": (u[:, 4] < 0.5) & policy.mirror,
        "brightness": _between(u[:, 5], 1 - policy.brightness, 1 + policy.brightness),
        "contrast": _between(u[:, 6], 1 - policy.contrast, 1 + policy.contrast),
        "saturation": _between(u[:, 7], 1 - policy.saturation, 1 + policy.saturation),
        "cut_top": u[:, 8] - policy.cutout / 2,  # the centre is anywhere in the view (DeVries & Taylor 2017)
        "cut_left": u[:, 9] - policy.cutout / 2,
    }
    return Views(np.stack([parameters[name].astype(np.float32) for name in PARAMETERS], axis=1), policy.cutout)


def _between(u: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return low + u * (high - low)


def _plain(count: int) -> Views[NDArray[Any]]:
    one = {"height", "width", "brightness", "contrast", "saturation"}
    return Views(np.tile(np.array([name in one for name in PARAMETERS], np.float32), (count, 1)))
