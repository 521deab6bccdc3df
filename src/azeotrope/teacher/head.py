"""The teacher's head: multinomial logistic regression on its embeddings of this run's images, and no others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # L2 on standardised features, per image; validation chooses


@dataclass(frozen=True)
class Head:
    """A linear classifier of embeddings. `strength` is the L2 penalty that validation chose; None when nothing was
    fitted. With `cosine` embeddings are first divided by their length.
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
        """Class scores of embeddings."""
        if self.cosine:
            features = functional.normalize(features)
        return functional.linear(features, self.weight.to(features.device), self.bias.to(features.device))


def accuracy(logits: Float[Tensor, "V C"], labels: Int[Tensor, " V"]) -> float:
    """Share of images whose largest score is that of their label."""
    return (logits.argmax(1) == labels).double().mean().item()


def fit_head(
    features: Float[Tensor, "N F"],
    labels: Int[Tensor, " N"],
    val_features: Float[Tensor, "V F"],
    val_labels: Int[Tensor, " V"],
    classes: int,
) -> Head:
    """Fit by L-BFGS for each strength, strongest first and each from the last; keep the best on validation (ties:
    stronger).

    Features are standardised for the fit and the scaling folded into the weights, so one list of strengths suits all
    teachers.
    """
    mean, std = features.mean(0), features.std(0).clamp_min(1e-6)
    standard = (features - mean) / std
    weight, bias = torch.zeros(classes, features.shape[1]), torch.zeros(classes)
    best: Head | None = None
    for strength in sorted(STRENGTHS, reverse=True):
        weight, bias = _minimise(weight, bias, standard, labels, strength)
        folded = weight / std
        head = Head(folded, bias - folded @ mean, strength, 0.0)
        head = head.judged(accuracy(head.logits(val_features), val_labels))
        if best is None or head.val_accuracy > best.val_accuracy:
            best = head
    assert best is not None
    return best


def _minimise(weight: Tensor, bias: Tensor, features: Tensor, labels: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, tolerance_grad=1e-5, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(functional.linear(features, weight, bias), labels)
        loss = loss + strength / 2 * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()
