"""A head made of class names instead of labels, for teachers that read text too."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor

from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.models.load import class_weights
from azeotrope.teacher.head import Head


def zero_shot_head(
    model: str, classes: Sequence[str], val_features: Float[Tensor, "V F"], val_labels: Int[Tensor, " V"]
) -> Head:
    """The scaled cosine between an image's embedding and those of the class names (Radford et al. 2021).

    Labels are used to judge it, by the gate, and not to make it. Raises InputError for a teacher without text.
    """
    weight = class_weights(model, classes)
    head = Head(weight, weight.new_zeros(len(classes)), strength=None, val_accuracy=0.0, cosine=True)
    return head.judged(SINGLE.accuracy(head.logits(val_features), val_labels))
