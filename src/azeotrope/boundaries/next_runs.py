"""Which run to make next: the one that tells most about the target for its price.

The draws already know how every possible outcome at a size moves with the target; a run there removes
Cov(t, y)² / (Var y + s²) of the target's variance. It plans one step ahead and makes no runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from azeotrope.boundaries.crossings import Direction, SignChanges
from azeotrope.curves.cells import Floats, JointCells
from azeotrope.curves.joint_draws import Draws

APART = 1.5
"""Suggested sizes differ by this factor at least: two that are nearly one size tell the same."""
KAPPA = 0.4
"""Price enters with this power: at equal total cost this cut the boundary's sd by a third."""
CANDIDATES = 25
SUGGESTED = 3
"""How many of the ranked runs are shown."""
ASSUMED_NOISE = 0.03
"""sd of log error of one run where no size has two seeds, as in `fitting.form.ASSUMED_SPREAD`."""

Price = Callable[[float], float]


@dataclass(frozen=True)
class NextRun:
    """One more seed of every arm at `size`; it would remove the share `variance_removed` of the target's variance."""

    size: float
    new_size: bool
    variance_removed: float
    price: float
    score: float


def by_size(size: float) -> float:
    """The default price of a run: proportional to its size, as training time is."""
    return size


def settle_crossing(
    cells: JointCells,
    draws: Draws,
    changes: SignChanges,
    direction: Direction,
    *,
    price: Price = by_size,
    at: float,
    sizes: Floats | None = None,
) -> tuple[NextRun, ...]:
    """Runs ranked by what they tell about the crossing, or, where most do not cross, who is ahead at size `at`.

    `sizes` [c] are those that can be run; by default all that are sensible.
    """
    sizes = candidates(cells) if sizes is None else sizes
    error = draws.errors(np.append(sizes, at))
    difference = error[1] - error[0]
    crosses = changes.single(direction)
    target = np.log(np.where(crosses, changes.first, 1.0)) if crosses.mean() > 0.5 else difference[:, -1]
    rows = crosses if crosses.mean() > 0.5 else np.ones(len(target), dtype=bool)
    level = np.median(error[:, :, :-1], axis=1)
    signed = level * [[-1], [1]]
    one_pair = np.einsum("in,nij,jn->n", signed, _noise_at(cells, sizes), signed)
    return rank(target[rows], difference[rows, :-1], one_pair, sizes, cells.sizes, price)


def settle_forecast(
    cells: JointCells, draws: Draws, required: Floats, *, price: Price = by_size
) -> tuple[NextRun, ...]:
    """Runs ranked by what they tell about the size `required` [R] (infinite: never) by the arm of `cells`."""
    sizes, finite = candidates(cells), np.isfinite(required)
    signal = np.log(draws.errors(sizes)[0])
    target = np.log(np.where(finite, required, required[finite].max(initial=cells.sizes[-1]) * 10))
    return rank(target, signal, _noise_at(cells, sizes)[:, 0, 0], sizes, cells.sizes, price)


def rank(
    target: Floats, signal: Floats, noise: Floats, sizes: Floats, present: Floats, price: Price
) -> tuple[NextRun, ...]:
    """The `sizes` [c], best first: `target` [R], `signal` [R, c] that a run shows, `noise` [c] its variance."""
    centred = signal - signal.mean(axis=0)
    covariance = (target - target.mean()) @ centred / max(1, len(target) - 1)
    removed = covariance**2 / (centred.var(axis=0, ddof=1) + noise) / max(float(target.var(ddof=1)), 1e-300)
    prices = np.array([price(float(size)) for size in sizes])
    score = removed / prices**KAPPA
    order = np.argsort(-score, kind="stable")
    return tuple(
        NextRun(float(sizes[i]), bool(sizes[i] not in present), float(removed[i]), float(prices[i]), float(score[i]))
        for i in order
    )


def apart(ranked: Sequence[NextRun], count: int = SUGGESTED) -> tuple[NextRun, ...]:
    """The best `count` of the ranked runs whose sizes differ from each other by `APART` or more."""
    chosen: list[NextRun] = []
    for run in ranked:
        if len(chosen) < count and all(not 1 / APART < run.size / other.size < APART for other in chosen):
            chosen.append(run)
    return tuple(chosen)


def candidates(cells: JointCells) -> Floats:
    """Sizes to consider: those present, and log-spaced ones up to three times the largest.

    None is smaller than the smallest seen: cheap as it is, it tells only through the laws, where they are weakest.
    """
    spaced = np.geomspace(cells.sizes[0], cells.sizes[-1] * 3, CANDIDATES)
    rounded = np.array([float(f"{size:.2g}") for size in spaced])
    return np.unique(np.concatenate([cells.sizes, rounded[rounded > cells.sizes[0]]]))


def _noise_at(cells: JointCells, sizes: Floats) -> Floats:
    """Covariance of one more run of every arm, [sizes, K, K]: that of the nearest size with runs."""
    if cells.noise is None:
        return np.broadcast_to(
            np.eye(len(cells.arms)) * ASSUMED_NOISE**2, (len(sizes), len(cells.arms), len(cells.arms))
        )
    nearest = np.abs(np.log(sizes[:, None] / cells.sizes)).argmin(axis=1)
    return np.asarray(cells.noise[nearest])
