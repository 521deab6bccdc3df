"""Levenberg-Marquardt for thousands of small problems at once, within bounds, for squares and for Huber's loss.

For Huber the exact curvature counts only the points within δ, which makes steps exact near the optimum and useless
far from it; the reweighted curvature is the reverse. The damping moves from one to the other, so it plays both of its
parts. It finds the valley it starts in; `varpro.py` chooses where to start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from azeotrope.laws._law import Floats
from azeotrope.solver.goal import Goal, Local


@dataclass(frozen=True)
class Effort:
    """When to stop: at this relative change of the objective, twice in a row, or after so many steps."""

    tolerance: float
    steps: int


EXACT = Effort(1e-11, 300)
"""For a fit that is reported; its tolerance is stated in the checklist."""
REFIT = Effort(1e-6, 40)
"""For the many refits of a bootstrap or a profile, which start from a fit. Most of their time went to the few
replicates that creep along a flat valley. Ends of intervals move by 0.2 % of their width at most (docs/log.md)."""

_EASE, _STIFFEN = 0.2, 6.0
_STIFF = 1e8


@dataclass(frozen=True)
class Polished:
    """Log parameters [R, p], objective [R], and whether each replicate met the tolerance [R]."""

    theta: Floats
    objective: Floats
    converged: NDArray[np.bool_]


def polish(goal: Goal, theta: Floats, effort: Effort = EXACT) -> Polished:
    """Descend from `theta` [R, p]. Replicates that are done leave the batch, so the slow few cost little."""
    theta = np.clip(theta, goal.low, goal.high)
    here = goal.local(theta)
    best, objective = theta.copy(), here.value.copy()
    converged = np.zeros(len(theta), dtype=bool)
    active = np.arange(len(theta))
    damping, calm = np.full(len(theta), 1e-2), np.zeros(len(theta), dtype=int)
    for _ in range(effort.steps):
        trial = _step(goal, theta, here, damping)
        there = goal.local(trial)
        gain = here.value - there.value
        better = gain >= 0  # false for NaN
        small = np.abs(gain) <= effort.tolerance * np.abs(here.value) + 1e-300
        calm = np.where(small, calm + 1, 0)
        theta = trial if better.all() else np.where(better[:, None], trial, theta)
        here = there if better.all() else _choose(better, there, here)
        damping = np.minimum(np.maximum(np.where(better, damping * _EASE, damping * _STIFFEN), 1e-12), 10 * _STIFF)
        best[active], objective[active] = theta, here.value
        done = (calm >= 2) | (damping > _STIFF)
        converged[active[done]] = True
        if done.all():
            break
        keep = ~done
        if done.sum() * 10 >= len(done):
            active, theta, damping, calm = active[keep], theta[keep], damping[keep], calm[keep]
            goal, here = goal.of(keep), _choose_rows(keep, here)
    return Polished(best, objective, converged)


def _step(goal: Goal, theta: Floats, here: Local, damping: Floats) -> Floats:
    moved = goal.moved
    inside = theta[:, moved]
    low, high = goal.low[..., moved], goal.high[..., moved]
    blocked = ((inside <= low) & (here.slope > 0)) | ((inside >= high) & (here.slope < 0))
    open_ = ~blocked
    scale = np.einsum("rii->ri", here.safe)
    scale = np.maximum(scale, 1e-10 * scale.max(axis=1, keepdims=True) + 1e-300)
    curvature = here.newton + damping[:, None, None] * here.safe
    curvature = curvature * (open_[:, :, None] & open_[:, None, :])
    np.einsum("rii->ri", curvature)[...] += np.where(blocked, 1.0, (damping[:, None] + 1e-12) * scale)
    move = np.linalg.solve(curvature, np.where(blocked, 0.0, -here.slope)[..., None])[..., 0]
    move = np.where(np.isfinite(move), move, 0.0)  # no step, no gain: the caller damps more
    trial = theta.copy()
    trial[:, moved] = np.minimum(np.maximum(inside + np.minimum(np.maximum(move, -3.0), 3.0), low), high)
    return trial


def _choose(better: NDArray[np.bool_], new: Local, old: Local) -> Local:
    wide = better[:, None]
    safe = np.where(wide[..., None], new.safe, old.safe)
    newton = safe if new.newton is new.safe else np.where(wide[..., None], new.newton, old.newton)
    return Local(np.where(better, new.value, old.value), np.where(wide, new.slope, old.slope), newton, safe)


def _choose_rows(keep: NDArray[np.bool_], here: Local) -> Local:
    safe = here.safe[keep]
    newton = safe if here.newton is here.safe else here.newton[keep]
    return Local(here.value[keep], here.slope[keep], newton, safe)
