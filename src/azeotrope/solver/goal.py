"""What a fit minimises, per replicate: Σ w ρ(y(E) − y) + ½ Σ ((θ − m)/s)², θ the logs of the parameters.

It evaluates; it does not search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from azeotrope.laws._law import Floats, Law
from azeotrope.solver.space import Space


@dataclass(frozen=True)
class Local:
    """The objective [R] near one point, with its gradient [R, f] and two curvatures [R, f, f]: `newton` (exact for ρ)
    and `safe`.
    """

    value: Floats
    slope: Floats
    newton: Floats
    safe: Floats


@dataclass(frozen=True)
class Goal:
    """Replicates R, points n, parameters p, of which `free` [f] are moved.

    `target` and `weights` [R, n] are in the residual's space; `delta` is Huber's, None for squares; `prior_mean` and
    `prior_precision` [p] are in logs (precision 0: no prior); `low`, `high` too, [p] or [R, p].
    """

    law: Law
    x: Floats
    space: Space
    target: Floats
    weights: Floats
    delta: float | None
    prior_mean: Floats
    prior_precision: Floats
    low: Floats
    high: Floats
    free: tuple[int, ...]

    def of(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Goal:
        """The same for some replicates only (a boolean or integer index)."""
        low, high = (limit[rows] if limit.ndim > 1 else limit for limit in (self.low, self.high))
        return replace(self, target=self.target[rows], weights=self.weights[rows], low=low, high=high)

    @property
    def moved(self) -> slice | list[int]:
        """Where the free parameters stand: a slice where they come first, which copies nothing."""
        count = len(self.free)
        return slice(count) if self.free == tuple(range(count)) else list(self.free)

    def local(self, theta: Floats) -> Local:
        """The objective with its derivatives."""
        moved = self.moved
        error, by_log = self.law.gradient(np.exp(theta), self.x)
        residual = self.space.forward(error) - self.target
        jacobian = by_log[:, moved] * self.space.slope(error)[:, None, :]
        precision = self.prior_precision[moved]
        prior = np.diag(precision)
        if self.delta is None:
            weights = self.weights
            newton = safe = _gram(jacobian, weights) + prior
        else:
            size = np.abs(residual)
            weights = self.weights * (self.delta / np.maximum(size, self.delta))
            safe = _gram(jacobian, weights) + prior
            newton = _gram(jacobian, self.weights * (size <= self.delta)) + prior
        away = theta - self.prior_mean
        slope = (jacobian @ (weights * residual)[..., None])[..., 0] + precision * away[:, moved]
        return Local(self._sum(residual) + 0.5 * (away**2 @ self.prior_precision), slope, newton, safe)

    def _sum(self, residual: Floats) -> Floats:
        if self.delta is None:
            cost = 0.5 * residual**2
        else:
            size = np.abs(residual)
            cost = np.where(size <= self.delta, 0.5 * residual**2, self.delta * (size - 0.5 * self.delta))
        return np.asarray((self.weights * cost).sum(axis=-1))


def _gram(jacobian: Floats, weights: Floats) -> Floats:
    return np.asarray((jacobian * weights[:, None, :]) @ jacobian.swapaxes(-1, -2))
