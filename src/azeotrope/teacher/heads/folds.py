"""Which fold each training image belongs to: a head fitted on the others has not seen its label.

Stratified cross-fitting (Stone 1974; for nuisance models Chernozhukov et al. 2018, doi 10.1111/ectj.12097): what the
teacher says of a training image then carries what the pretrained weights know, not the label that the student gets too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.division.groups import divided
from azeotrope.errors import RunFailed
from azeotrope.kinds._kind import Kind, Labels
from azeotrope.plan import FOLDS

ANY = -1  # the fold of an image that no head was fitted on


def folds_of(
    labels: Labels, kind: Kind, folds: int = FOLDS, units: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The fold of each image [N], from 0; of few images as many folds as there are images.

    One fold after the other takes the beginning of what `Kind.spread` makes of the images left: it is alike in labels
    to the whole, and so is the rest. Images of a class of which there are fewer than folds are each in another fold.
    With `units` (which images belong together) a group is in one fold, for a head that has seen a patient's label
    knows that of the patient's other images. Raises RunFailed when all images are of one group.
    """
    folds = min(folds, len(labels) if units is None else len(np.unique(units)))
    if units is not None and folds < 2:
        raise RunFailed(
            "The teacher's head is fitted without the group of the image that it speaks of, and needs two groups",
            found=f"{len(labels)} training images of one group",
            next_step="take more training images, or --teacher-folds 1",
        )
    fold, left = np.full(len(labels), folds - 1, dtype=np.int64), np.arange(len(labels))
    for number in range(folds - 1):
        taken = _taken(labels[left], kind, 1 / (folds - number), None if units is None else units[left])
        fold[left[taken]] = number
        left = np.delete(left, taken)
    return np.unique(fold, return_inverse=True)[1].astype(np.int64)  # large groups may leave a fold without any


def _taken(labels: Labels, kind: Kind, share: float, units: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Places of this share of the images, alike in labels to the whole."""

    def spread(places: NDArray[np.int64]) -> NDArray[np.int64]:
        return kind.spread(labels[places], round(len(places) * share))

    if units is None:
        return spread(np.arange(len(labels)))
    order = np.arange(len(labels), dtype=np.uint64)
    return np.flatnonzero(divided(units, kind.strata_of(labels), order, share, spread))
