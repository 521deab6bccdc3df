"""Fits one law to many replicates of the same design at once: the core under the point fit, the bootstrap and the
boundary.

It makes no intervals and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azeotrope.errors import InputError
from azeotrope.laws._law import Floats, Law, Parameter
from azeotrope.laws._terms import CHANCE
from azeotrope.solver.goal import Goal
from azeotrope.solver.polish import EXACT, Effort, Polished, polish
from azeotrope.solver.space import SPACES, SpaceName
from azeotrope.solver.varpro import starts

HUBER_DELTA = 1e-3
"""Hoffmann et al. 2022, on log residuals."""
BELOW_CHANCE = 0.999
"""Laws between a floor and chance need room between the two."""


@dataclass(frozen=True)
class Fits:
    """R fits of one law. `params` [R, p] hold at the reference sizes [axes]; `objective` [R]; `converged` [R]."""

    law: Law
    params: Floats
    reference: Floats
    objective: Floats
    converged: NDArray[np.bool_]

    def predict(self, x: ArrayLike) -> Floats:
        """Error [R, m] at sizes x [m] (one axis) or [axes, m], in the user's units."""
        return self.law.predict(self.params, np.atleast_2d(np.asarray(x, float)) / self.reference[:, None])

    def natural(self) -> Floats:
        """Parameters [R, p] of the formula as written, in the user's units."""
        return self.law.natural(self.params, self.reference)


def fit_many(
    law: Law,
    x: ArrayLike,
    error: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    fixed: Mapping[str, float] | None = None,
    priors: bool = True,
    huber: float | None = None,
    space: SpaceName = "log",
    start: Floats | None = None,
    pinned: Sequence[Mapping[str, float]] = (),
    starts_each: int | None = None,
    effort: Effort = EXACT,
) -> Fits:
    """Fit `law` to `error` [R, n] (or [n]) at sizes `x` [n] or [axes, n].

    `weights` [n] or [R, n] are one over the variance of the residual, times how often a bootstrap drew the point;
    default 1, which needs `priors=False` to make sense unless residuals are of order one. `fixed` holds parameters at
    values (at the reference: floor and exponents are the same there and in natural units), and must name the law's
    known constants, `{"e0": 0.9}`. `start` [p] or [R, p] (from `Fits.params`) replaces the grid. `pinned` [R] holds
    further parameters of each replicate at values, and needs a `start`. `effort`: `REFIT` for many refits of one fit.

    Raises InputError when a known constant is missing, an axis that must be positive is not, or the logit is asked of
    a loss.
    """
    sizes, observed = np.atleast_2d(np.asarray(x, float)), np.atleast_2d(np.asarray(error, float))
    fixed = dict(fixed or {})
    _check(law, sizes, fixed)
    _check_space(space, observed)
    reference = np.array([np.exp(np.log(axis[axis > 0]).mean()) for axis in sizes])
    goal = make_goal(
        law, sizes / reference[:, None], observed, weights=weights, fixed=fixed, priors=priors, huber=huber, space=space
    )
    if start is None:
        begin = starts(goal, observed, fixed, starts_each or law.starts)
    else:
        begin = np.broadcast_to(np.log(start), (len(observed), len(law.parameters)))[:, None]
        goal = _pin(goal, pinned) if pinned else goal
    found = best_of(goal, begin, effort)
    return Fits(law, np.exp(found.theta), reference, found.objective, found.converged)


def _pin(goal: Goal, pinned: Sequence[Mapping[str, float]]) -> Goal:
    """The goal with some parameters of each replicate between limits that are one value."""
    low, high = (np.tile(limit, (len(pinned), 1)) for limit in (goal.low, goal.high))
    for replicate, values in enumerate(pinned):
        for name, value in values.items():
            place = goal.law.index(name)
            low[replicate, place] = high[replicate, place] = np.log(max(value, 1e-300))
    return replace(goal, low=low, high=high)


def best_of(goal: Goal, begin: Floats, effort: Effort = EXACT) -> Polished:
    """Polish from each of the starts [R, S, p], all in one batch, and keep the lowest objective of each replicate."""
    replicates, count, p = begin.shape
    found = polish(goal.of(np.repeat(np.arange(replicates), count)), begin.reshape(-1, p), effort)
    best = np.arange(replicates) * count + found.objective.reshape(replicates, count).argmin(axis=1)
    return Polished(found.theta[best], found.objective[best], found.converged[best])


def make_goal(
    law: Law,
    scaled: Floats,
    observed: Floats,
    *,
    weights: ArrayLike | None,
    fixed: Mapping[str, float],
    priors: bool,
    huber: float | None,
    space: SpaceName,
) -> Goal:
    """The objective at scaled sizes [axes, n]: limits and priors in logs, relative ones tied to the lowest error of
    the median replicate.
    """
    lowest = float(np.median(observed, axis=0).min())
    scale = [lowest if parameter.of_lowest_error else 1.0 for parameter in law.parameters]
    low, high, mean, precision = (np.zeros(len(scale)) for _ in range(4))
    for i, (parameter, unit) in enumerate(zip(law.parameters, scale, strict=True)):
        if parameter.name in fixed:
            low[i] = high[i] = mean[i] = np.log(max(fixed[parameter.name], 1e-300))
            continue
        low[i], high[i] = np.log(parameter.low * unit), np.log(highest(parameter, lowest, fixed))
        if priors and parameter.prior is not None:
            mean[i], precision[i] = np.log(parameter.prior.median * unit), parameter.prior.log_sd**-2
    chosen = SPACES[space]
    return Goal(
        law=law,
        x=scaled,
        space=chosen,
        target=chosen.forward(observed),
        weights=np.array(np.broadcast_to(1.0 if weights is None else weights, observed.shape), float),
        delta=huber,
        prior_mean=mean,
        prior_precision=precision,
        low=low,
        high=high,
        free=tuple(i for i, parameter in enumerate(law.parameters) if parameter.name not in fixed),
    )


def highest(parameter: Parameter, lowest: float, fixed: Mapping[str, float]) -> float:
    """The upper limit of a parameter where the lowest error is `lowest`. A floor stays below the error of guessing,
    which runs that have learned nothing exceed.
    """
    if not parameter.of_lowest_error:
        return parameter.high
    return min(parameter.high * lowest, BELOW_CHANCE * fixed.get(CHANCE.name, np.inf))


def _check_space(space: SpaceName, observed: Floats) -> None:
    """A loss has no logit: it may be 1 and more."""
    if space == "logit" and observed.max(initial=0.0) >= 1:
        raise InputError(
            "Residuals on the logit are of errors below 1",
            found=f"values up to {observed.max():g}",
            allowed="log or error, for a loss such as a log-loss",
            next_step="measure the residual on the log: space='log'",
        )


def _check(law: Law, sizes: Floats, fixed: Mapping[str, float]) -> None:
    missing = [p.name for p in law.parameters if p.given and p.name not in fixed]
    if missing:
        raise InputError(
            f"The law {law.key!r} needs the error of guessing",
            found=f"no value of {missing[0]}",
            allowed="1 - 1/classes",
            next_step="give records with their classes, or choose a law without a ceiling such as power_floor",
        )
    if len(sizes) != len(law.symbols):
        raise InputError(
            f"The law {law.key!r} is a formula in {' and '.join(law.symbols)}",
            found=f"sizes along {len(sizes)} axes",
            allowed=str(len(law.symbols)),
            next_step="choose another law; `azeotrope list laws` shows their formulas",
        )
    for symbol, axis in zip(law.symbols, sizes, strict=True):
        least = axis.min()
        if least < 0 or (least == 0 and symbol in law.needs_positive):
            raise InputError(
                f"The law {law.key!r} needs sizes above zero",
                found=f"{symbol} = {least:g}",
                next_step="leave these rows out, or use effective_data, which allows no pretraining",
            )
