"""Linear models of frozen embeddings, fitted to their minimum: for several parts of the images at once, one penalty
after another.

A fit minimises the mean of `Kind.losses` over its part + strength / 2 · |weight|²: multinomial or binary logistic
regression, or ridge. Features are standardised, so that one list of strengths suits all teachers. The problem is turned
to the axes of the features' covariance, and each unknown scaled by the objective's curvature along it where the fit
starts: L-BFGS then needs few steps, and with fewer images than features the problem shrinks to their number. Neither
changes the minimum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from azeotrope.kinds._kind import Kind

_REMEMBERED = 20  # steps that L-BFGS remembers; more cost more than they save
_NEAR = 1e-3  # largest derivative at which strengths are compared: log-losses are then right to some 0.001
_THERE = 1e-5  # and at which a fit is at its minimum
_RANK = 1e-7  # share of the largest variance below which an axis is rounding


@dataclass(frozen=True)
class Axes:
    """Features [N, F] as coordinates [N, r] along the axes of their covariance: features = mean + std · (z @ basis)."""

    mean: Float[Tensor, " F"]
    std: Float[Tensor, " F"]
    basis: Float[Tensor, "r F"]
    coordinates: Float[Tensor, "N r"]

    def weights(
        self, along: Float[Tensor, "P C r"], bias: Float[Tensor, "P C"]
    ) -> tuple[Float[Tensor, "P C F"], Float[Tensor, "P C"]]:
        """Weights and biases of the features themselves, from those of the coordinates."""
        weight = along @ self.basis / self.std
        return weight, bias - weight @ self.mean


def axes_of(features: Float[Tensor, "N F"]) -> Axes:
    """By the eigenvectors of the smaller Gram matrix, in double precision."""
    mean, std = features.mean(0), features.std(0, correction=0).clamp_min(1e-6)
    standard = ((features - mean) / std).double()
    images, width = standard.shape
    gram = standard.T @ standard if width <= images else standard @ standard.T
    values, vectors = torch.linalg.eigh(gram)
    known = values > _RANK * values[-1].clamp_min(1e-12)
    vectors = vectors[:, known]
    basis = vectors.T if width <= images else vectors.T @ standard / values[known].sqrt()[:, None]
    return Axes(mean, std, basis.float(), (standard @ basis.T).float())


class Fit(NamedTuple):
    """A linear model of each part at one strength, in coordinates along the axes."""

    strength: float
    along: Float[Tensor, "P C r"]
    bias: Float[Tensor, "P C"]


@dataclass(frozen=True)
class Problem:
    """What is fitted: the images' coordinates and labels, and which images each part is fitted on."""

    axes: Axes
    targets: Shaped[Tensor, N * label]
    parts: Bool[Tensor, "P N"]
    kind: Kind

    def path(self, outputs: int, strengths: Sequence[float]) -> Iterator[Fit]:
        """A fit for each strength, strongest first and each from the last: near enough to its minimum to compare
        strengths by, in a third of the time that the minimum takes.
        """
        rank, parts = self.axes.coordinates.shape[1], len(self.parts)
        fit = Fit(max(strengths), torch.zeros(parts, outputs, rank), torch.zeros(parts, outputs))
        for strength in sorted(strengths, reverse=True):
            fit = self._descend(fit._replace(strength=strength), _NEAR)
            yield fit

    def minimum(self, fit: Fit) -> Fit:
        """The fit at its minimum, from a start that is near it."""
        return self._descend(fit, _THERE)

    def outputs(self, fit: Fit) -> Float[Tensor, "P N C"]:
        """What each part's model says of every image."""
        return outputs_of(self.axes, fit.along, fit.bias)

    def _descend(self, start: Fit, gradient: float) -> Fit:
        """From the start until no unknown's derivative exceeds `gradient`."""
        shares = self.parts / self.parts.sum(dim=1, keepdim=True)
        scale, scale_of_bias = ((curved + start.strength).rsqrt() for curved in _curvature(self, shares, start))
        scaled, scaled_bias = (start.along / scale).requires_grad_(), (start.bias / scale_of_bias).requires_grad_()
        optimiser = torch.optim.LBFGS(
            [scaled, scaled_bias],
            max_iter=200,
            tolerance_grad=gradient,
            history_size=_REMEMBERED,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimiser.zero_grad()
            along = scaled * scale
            said = outputs_of(self.axes, along, scaled_bias * scale_of_bias)
            losses = (self.kind.losses(part, self.targets) for part in said)
            fits = [(loss * share).sum() for loss, share in zip(losses, shares, strict=True)]
            value = torch.stack(fits).sum() + start.strength / 2 * along.square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimiser.step(closure)  # type: ignore[no-untyped-call]
        return Fit(start.strength, (scaled * scale).detach(), (scaled_bias * scale_of_bias).detach())


def outputs_of(axes: Axes, along: Float[Tensor, "P C r"], bias: Float[Tensor, "P C"]) -> Float[Tensor, "P N C"]:
    """What each fit says of every image."""
    parts, outputs, rank = along.shape
    said = axes.coordinates @ along.reshape(parts * outputs, rank).T
    return said.reshape(-1, parts, outputs).transpose(0, 1) + bias[:, None]


def _curvature(
    problem: Problem, shares: Float[Tensor, "P N"], at: Fit
) -> tuple[Float[Tensor, "P C r"], Float[Tensor, "P C"]]:
    """The second derivative of each part's mean loss by each unknown: the diagonal of the Hessian."""
    of_outputs = problem.kind.curvature(problem.outputs(at)) * shares[:, :, None]
    parts, images, outputs = of_outputs.shape
    along = of_outputs.transpose(1, 2).reshape(parts * outputs, images) @ problem.axes.coordinates.square()
    return along.reshape(parts, outputs, -1), of_outputs.sum(dim=1)
