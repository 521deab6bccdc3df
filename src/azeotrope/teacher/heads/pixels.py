"""The yardstick of the gate: what a linear model of the bare pixels knows of the same images.

Random filters tell clothes apart better than the class shares do, so shares alone let random weights pass. A teacher
that knows less than sixteen times sixteen pixels has nothing to hand on: the student sees the pixels itself.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped, UInt
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from azeotrope.kinds._kind import Kind
from azeotrope.teacher.heads.head import fit_head

SIDE = 16
IMAGES = 2000  # of more, so many drawn at random: enough to judge by, and a fit of a second or two


def judged_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The images by which teacher and pixels are compared: all, or IMAGES of them, the same for equal rows.

    Not every second or third: classes take turns in the rows that train, so that some would be left out.
    """
    return rows if len(rows) <= IMAGES else np.random.default_rng(0).permutation(rows)[:IMAGES]


def pixel_losses(
    pictures: UInt[Tensor, "n S S K"],
    targets: Shaped[Tensor, n * label],
    folds: Int[Tensor, " n"],
    outputs: int,
    kind: Kind,
) -> Float[Tensor, " n"]:
    """The log-loss of each image by a head of mean pixels that has not seen its label; `folds` as for `fit_head`."""
    planes = pictures.permute(0, 3, 1, 2).float() / torch.iinfo(pictures.dtype).max
    features = functional.adaptive_avg_pool2d(planes, SIDE).flatten(1)
    said = fit_head(features, targets, outputs, folds, kind).logits(features, folds)
    return kind.losses(said, targets)
