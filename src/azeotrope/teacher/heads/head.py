"""The teacher's head: a linear model of its embeddings, fitted to this run's images and no others.

Cross-fitted: of F folds of the training images each has a head of its own, fitted on the other folds. What the teacher
says of a training image comes from the head that has not seen its label; of any other image it is the mean of the
heads. A head fitted on the very label that the student also gets would repeat that label (docs/teacher.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int, Shaped
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

from azeotrope.kinds._kind import Kind
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.teacher.heads.probe import Fit, Problem, axes_of

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)  # L2 on standardised features, per image
TEMPERATURES = (0.05, 20.0)
PATIENCE = 2  # strengths without improvement, weaker and weaker, after which weaker ones are not tried


@dataclass(frozen=True)
class Head:
    """Linear models of embeddings: one a fold, and last the one that speaks of images that none was fitted on (which
    is the only one where nothing was cross-fitted).

    `strength` is the L2 penalty and `temperature` what outputs were divided by (folded into weight and bias); None
    where nothing was fitted. With `cosine` embeddings are first divided by their length.
    """

    weight: Float[Tensor, "M C G"]
    bias: Float[Tensor, "M C"]
    strength: float | None = None
    temperature: float | None = None
    cosine: bool = False

    @property
    def folds(self) -> int:
        """In how many parts it was cross-fitted; 0 where it was not."""
        return len(self.weight) - 1

    def logits(self, features: Float[Tensor, "B G"], folds: Int[Tensor, " B"] | None = None) -> Float[Tensor, "B C"]:
        """Outputs of embeddings: class scores, or the one value.

        `folds` says whose training images these are: the model of that fold answers. None, and a fold of -1, take the
        last model.
        """
        if self.cosine:
            features = functional.normalize(features)
        weight, bias = self.weight, self.bias
        if folds is None or not self.folds:
            return functional.linear(features, weight[-1], bias[-1])
        every = functional.linear(features, weight.flatten(0, 1), bias.flatten()).reshape(len(features), *bias.shape)
        said: Tensor = every[torch.arange(len(features), device=features.device), folds]
        return said

    def to(self, device: str) -> Head:
        """The same on a device, where it answers embeddings that are there."""
        return replace(self, weight=self.weight.to(device), bias=self.bias.to(device))


def fit_head(
    features: Float[Tensor, "N G"],
    labels: Shaped[Tensor, N * label],
    outputs: int,
    folds: Int[Tensor, " N"],
    kind: Kind = SINGLE,
) -> Head:
    """A head a fold, and their mean for other images (the mean of their log-probabilities, but for a constant).

    Strength and one temperature are those with the lowest out-of-fold log-loss on all N labels (ties: the stronger
    penalty), so that validation stays free of the teacher.
    """
    parts = torch.stack([folds != fold for fold in range(int(folds.max()) + 1)])
    problem, images = Problem(axes_of(features), labels, parts, kind), torch.arange(len(labels))
    best, lowest, waited = None, math.inf, 0
    for fit in problem.path(outputs, STRENGTHS):
        said = problem.outputs(fit)[folds, images]
        loss = kind.losses(said / best_temperature(said, labels, kind), labels).mean().item()
        waited = 0 if loss < lowest else waited + 1
        best, lowest = (fit, loss) if best is None or loss < lowest else (best, lowest)
        if waited == PATIENCE:
            break
    assert best is not None
    best = problem.minimum(best)
    temperature = best_temperature(problem.outputs(best)[folds, images], labels, kind)
    weight, bias = (part / temperature for part in problem.axes.weights(best.along, best.bias))
    return Head(with_mean(weight), with_mean(bias), best.strength, temperature)


def fit_in_sample(
    features: Float[Tensor, "N G"],
    labels: Shaped[Tensor, N * label],
    outputs: int,
    held_out: tuple[Float[Tensor, "V G"], Shaped[Tensor, V * label]],
    kind: Kind = SINGLE,
) -> Head:
    """One head, fitted on all images at once; strength and temperature by the log-loss on `held_out`.

    For ablations: it has seen the labels of the images that it speaks of to the student.
    """
    everything = torch.ones(1, len(labels), dtype=torch.bool)
    problem = Problem(axes_of(features), labels, everything, kind)

    def held_against(fit: Fit) -> tuple[float, Head]:
        plain = Head(*problem.axes.weights(fit.along, fit.bias))
        said = plain.logits(held_out[0])
        temperature = best_temperature(said, held_out[1], kind)
        loss = kind.losses(said / temperature, held_out[1]).mean().item()
        return loss, Head(plain.weight / temperature, plain.bias / temperature, fit.strength, temperature)

    best = min(problem.path(outputs, STRENGTHS), key=lambda fit: held_against(fit)[0])
    return held_against(problem.minimum(best))[1]


def with_mean(models: Float[Tensor, F * rest]) -> Float[Tensor, M * rest]:
    """The models and, last, their mean."""
    return torch.cat([models, models.mean(0, keepdim=True)])


def best_temperature(outputs: Float[Tensor, "n C"], targets: Shaped[Tensor, n * label], kind: Kind) -> float:
    """The T that minimises the log-loss of outputs / T (Guo et al. 2017, arXiv 1706.04599); 1 where outputs are values.

    The loss is convex in 1 / T, so one search between bounds finds it.
    """
    if not kind.tempered:
        return 1.0
    low, high = (math.log(bound) for bound in TEMPERATURES)
    found = minimize_scalar(
        lambda log: kind.losses(outputs * math.exp(-log), targets).mean().item(),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return math.exp(float(found.x))
