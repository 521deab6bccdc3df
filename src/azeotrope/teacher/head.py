"""The teacher's head: a linear model of its embeddings, fitted to this run's images and no others.

Logistic regression (of all classes together, or of each against the rest) or ridge: `Kind.probe` says which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional

from azeotrope.kinds._kind import Kind
from azeotrope.kinds.single import KIND as SINGLE

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # L2 on standardised features, per image; validation chooses


@dataclass(frozen=True)
class Head:
    """A linear model of embeddings. `val_accuracy` is 1 − the error of its kind of task on validation; `strength` is
    the L2 penalty that validation chose, None when nothing was fitted. With `cosine` embeddings are first divided by
    their length.
    """

    weight: Float[Tensor, "C F"]
    bias: Float[Tensor, " C"]
    strength: float | None
    val_accuracy: float
    cosine: bool = False

    def judged(self, val_accuracy: float) -> Head:
        """The same head with what validation says of it."""
        return replace(self, val_accuracy=val_accuracy)

    def logits(self, features: Float[Tensor, "B F"]) -> Float[Tensor, "B C"]:
        """Outputs of embeddings: class scores, or the one value."""
        if self.cosine:
            features = functional.normalize(features)
        return functional.linear(features, self.weight.to(features.device), self.bias.to(features.device))


def fit_head(
    features: Float[Tensor, "N F"],
    labels: Shaped[Tensor, N * label],
    val_features: Float[Tensor, "V F"],
    val_labels: Shaped[Tensor, V * label],
    classes: int,
    kind: Kind = SINGLE,
) -> Head:
    """Fit (`Kind.probe`) for each strength, strongest first and each from the last; keep the best on validation (ties:
    stronger).

    Features are standardised for the fit and the scaling folded into the weights, so one list of strengths suits all
    teachers.
    """
    mean, std = features.mean(0), features.std(0).clamp_min(1e-6)
    standard = (features - mean) / std
    weight, bias = torch.zeros(classes, features.shape[1]), torch.zeros(classes)
    best: Head | None = None
    for strength in sorted(kind.strengths or STRENGTHS, reverse=True):
        weight, bias = kind.probe((weight, bias), standard, labels, strength)
        folded = weight / std
        head = Head(folded, bias - folded @ mean, strength, 0.0)
        head = head.judged(kind.accuracy(head.logits(val_features), val_labels))
        if best is None or head.val_accuracy > best.val_accuracy:
            best = head
    assert best is not None
    return best
