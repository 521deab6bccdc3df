"""A head made of class names instead of labels, for teachers that read text too."""

from __future__ import annotations

from collections.abc import Sequence

from azeotrope.models.load import class_weights
from azeotrope.teacher.heads.head import Head


def zero_shot_head(model: str, classes: Sequence[str]) -> Head:
    """The scaled cosine between an image's embedding and those of the class names (Radford et al. 2021).

    Labels judge it, at the gate, and do not make it. Raises InputError for a teacher without text.
    """
    weight = class_weights(model, classes)[None]
    return Head(weight, weight.new_zeros(1, len(classes)), cosine=True)
