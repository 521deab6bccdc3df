"""Where to start: a grid over the parameters that enter non-linearly, the others solved for, non-negative, at each
grid point.

Golub & Pereyra's variable projection with the outer search done by enumeration, so that no valley is missed and
thousands of replicates share the regressors. Residuals are measured to first order in the space of the fit;
`polish.py` finishes in that space.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from azeotrope.laws._law import Floats
from azeotrope.solver.goal import Goal


def starts(goal: Goal, error: Floats, fixed: Mapping[str, float], count: int) -> Floats:
    """The `count` best grid points of each replicate as log parameters [R, count, p], best first; `error` [R, n] is
    the data.
    """
    law = goal.law
    grid = law.grid(fixed)
    columns = law.columns(grid, goal.x, np.median(error, axis=0))
    weights = goal.weights * goal.space.slope(error) ** 2
    held = [i for i, position in enumerate(law.linear) if law.names[position] in fixed]
    loose = [i for i in range(len(law.linear)) if i not in held]
    offset = sum((fixed[law.names[law.linear[i]]] * columns[:, i] for i in held), np.zeros(1))
    solved, misfit = _non_negative(columns[:, loose], error, weights, np.broadcast_to(offset, columns[:, 0].shape))
    misfit = 0.5 * misfit + _prior(goal, grid)
    order = np.argsort(misfit, axis=1)[:, :count]
    params = np.empty((*order.shape, len(law.parameters)))
    params[..., law.nonlinear] = grid[order]
    for name, value in fixed.items():
        params[..., law.index(name)] = value
    params[..., [law.linear[i] for i in loose]] = np.take_along_axis(solved, order[..., None], axis=1)
    return np.asarray(_inside(goal, np.log(np.maximum(params, 1e-300))))


def _prior(goal: Goal, grid: Floats) -> Floats:
    positions = goal.law.nonlinear
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (np.log(grid) - goal.prior_mean[positions]) ** 2 * goal.prior_precision[positions]
    return np.asarray(0.5 * np.nan_to_num(distance).sum(axis=1))


def _inside(goal: Goal, theta: Floats) -> Floats:
    """A start on a bound has no slope to leave it by, so keep off by a tenth; a floor solved to zero starts low, not
    at zero.
    """
    low, high = goal.low.copy(), goal.high.copy()
    room = np.minimum(2.3, 0.3 * (high - low))
    free = list(goal.free)
    low[free] += room[free]
    return np.clip(theta, low, high)


def _non_negative(columns: Floats, error: Floats, weights: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Least squares of `error` − `offset` on `columns` [K, q, n] with coefficients ≥ 0, for each replicate and grid
    point.

    Returns [R, K, q] and the sum of squares [R, K]. With q ≤ 3 all sets of positive coefficients are tried.
    """
    K, q, n = columns.shape
    R = len(error)
    pairs = (columns[:, :, None] * columns[:, None]).reshape(K * q * q, n)
    gram = (weights @ pairs.T).reshape(R, K, q, q)
    side = ((weights * error) @ columns.reshape(K * q, n).T).reshape(R, K, q)
    side -= (weights @ (columns * offset[:, None]).reshape(K * q, n).T).reshape(R, K, q)
    total = (weights * error**2).sum(axis=1)[:, None] - 2 * (weights * error) @ offset.T + weights @ (offset**2).T
    best, solved = total.copy(), np.zeros((R, K, q))
    for size in range(1, q + 1):
        for chosen in itertools.combinations(range(q), size):
            take = list(chosen)
            block = gram[:, :, take][:, :, :, take]
            block = block + 1e-10 * np.eye(size) * np.einsum("rkii->rk", block)[:, :, None, None]
            found = np.linalg.solve(block, side[:, :, take, None])[..., 0]
            misfit = total - (found * side[:, :, take]).sum(axis=-1)
            win = (found > 0).all(axis=-1) & (misfit < best)
            best = np.where(win, misfit, best)
            full = np.zeros((R, K, q))
            full[:, :, take] = found
            solved = np.where(win[..., None], full, solved)
    return solved, best
