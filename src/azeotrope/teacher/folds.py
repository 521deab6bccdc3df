"""Which fold each training image belongs to: a head fitted on the others has not seen its label.

Stratified cross-fitting (Stone 1974; for nuisance models Chernozhukov et al. 2018, doi 10.1111/ectj.12097): what the
teacher says of a training image then carries what the pretrained weights know, not the label that the student gets too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from azeotrope.kinds._kind import Kind, Labels
from azeotrope.plan import FOLDS

ANY = -1  # the fold of an image that no head was fitted on


def folds_of(labels: Labels, kind: Kind, folds: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each image [N], from 0; of few images as many folds as there are images.

    One fold after the other takes the beginning of what `Kind.spread` makes of the images left: it is alike in labels
    to the whole, and so is the rest. Images of a class of which there are fewer than folds are each in another fold.
    """
    folds = min(folds, len(labels))
    fold, left = np.full(len(labels), folds - 1, dtype=np.int64), np.arange(len(labels))
    for number in range(folds - 1):
        taken = kind.spread(labels[left], round(len(left) / (folds - number)))
        fold[left[taken]] = number
        left = np.delete(left, taken)
    return fold
