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

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from azeotrope.kinds._kind import Kind

_REMEMBERED = 20  # steps that L-BFGS remembers; more cost more than they save
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


def path(
    axes: Axes,
    targets: Shaped[Tensor, N * label],
    parts: Bool[Tensor, "P N"],
    outputs: int,
    strengths: Sequence[float],
    kind: Kind,
) -> Iterator[tuple[float, Float[Tensor, "P C r"], Float[Tensor, "P C"]]]:
    """For each strength, strongest first and each from the last: it, and weight and bias of every part's fit."""
    rank = axes.coordinates.shape[1]
    along, bias = torch.zeros(len(parts), outputs, rank), torch.zeros(len(parts), outputs)
    shares = parts / parts.sum(dim=1, keepdim=True)
    for strength in sorted(strengths, reverse=True):
        along, bias = _minimum(axes, targets, shares, (along, bias), strength, kind)
        yield strength, along, bias


def outputs_of(axes: Axes, along: Float[Tensor, "P C r"], bias: Float[Tensor, "P C"]) -> Float[Tensor, "P N C"]:
    """What each fit says of every image."""
    parts, outputs, rank = along.shape
    said = axes.coordinates @ along.reshape(parts * outputs, rank).T
    return said.reshape(-1, parts, outputs).transpose(0, 1) + bias[:, None]


def _minimum(
    axes: Axes,
    targets: Tensor,
    shares: Float[Tensor, "P N"],
    start: tuple[Tensor, Tensor],
    strength: float,
    kind: Kind,
) -> tuple[Tensor, Tensor]:
    scale = (_curvature(axes, shares, start, kind) + strength).rsqrt()
    scaled, bias = (start[0] / scale).requires_grad_(), start[1].clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [scaled, bias],
        max_iter=200,
        tolerance_grad=1e-5,
        history_size=_REMEMBERED,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        along = scaled * scale
        said = outputs_of(axes, along, bias)
        fits = [(kind.losses(part, targets) * share).sum() for part, share in zip(said, shares, strict=True)]
        value = torch.stack(fits).sum() + strength / 2 * along.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return (scaled * scale).detach(), bias.detach()


def _curvature(
    axes: Axes, shares: Float[Tensor, "P N"], at: tuple[Tensor, Tensor], kind: Kind
) -> Float[Tensor, "P C r"]:
    """The second derivative of each part's mean loss by each coordinate of its weight: the diagonal of the Hessian."""
    of_outputs = kind.curvature(outputs_of(axes, *at)) * shares[:, :, None]
    parts, images, outputs = of_outputs.shape
    along = of_outputs.transpose(1, 2).reshape(parts * outputs, images) @ axes.coordinates.square()
    return along.reshape(parts, outputs, -1)
