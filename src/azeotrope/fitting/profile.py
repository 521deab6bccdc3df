"""Can the runs alone tell a parameter? The likelihood's profile, without priors, as a check on values that priors may
have supplied.

A parameter is identified when moving it away, with all others refitted, makes the runs clearly less likely in both
directions. A floor is when zero is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from azeotrope.curves.fitted.law_fit import FormFit
from azeotrope.laws._law import Floats
from azeotrope.record.interval import Interval
from azeotrope.solver.many import Fits, fit_many, highest
from azeotrope.solver.polish import REFIT

RISE = 2.71
"""Rise of the deviance that 90 % intervals allow: the 0.90 quantile of χ² with one degree of freedom."""

_AWAY = 2.0
_ZERO = 1e-3
_STEPS, _ROUNDS = 20, 2
"""An end of a floor's interval is looked for on so many floors at once, then between two of these: to 2 % of its value
where it may lie anywhere over a factor 1,000."""


@dataclass(frozen=True)
class Profile:
    """Deviance above the best [k] with a parameter held at `values` [k] (at the reference sizes)."""

    values: Floats
    deviance: Floats


def profile(form: FormFit, name: str, values: Floats) -> Profile:
    """Refit without priors with the parameter held at each value in turn."""
    free, *at = _deviances(form, [{}, *({name: float(value)} for value in values)])
    return Profile(values, np.array(at) - min(free, *at))


def identified(form: FormFit) -> dict[str, bool]:
    """For each fitted parameter, whether the runs reject both half and double its value; for a floor, whether they
    reject zero.
    """
    asked: list[tuple[str, float]] = []
    for place, name in enumerate(form.law.names):
        if name not in form.fixed:
            value = float(form.fits.params[0, place])
            asked += [(name, value * _ZERO)] if name == "e" else [(name, value / _AWAY), (name, value * _AWAY)]
    free, *away = _deviances(form, [{}, *({name: value} for name, value in asked)])
    found: dict[str, bool] = {}
    for name in dict(asked):
        mine = [deviance for (other, _), deviance in zip(asked, away, strict=True) if other == name]
        found[name] = min(mine) - min(free, *mine) >= RISE
    return found


def floor_interval(form: FormFit) -> Interval:
    """The floors that the runs allow at 90 %, without prior and whatever the bootstrap says; from 0 when they allow
    none.
    """
    free = _refits(form, [{}])
    best, limit = float(free.params[0, form.law.index("e")]), 2 * float(free.objective[0]) + RISE
    lowest = float(form.cells.error.min())
    least, most = lowest * _ZERO, highest(form.law.parameters[form.law.index("e")], lowest, form.fixed)
    best = min(max(best, least), most)
    low, high = _ends(form, best, (least, most), limit)
    low = 0.0 if low <= least else low
    return Interval(float(form.fits.params[0, form.law.index("e")]), low, max(low, high), 0.9)


def _ends(form: FormFit, best: float, last: tuple[float, float], limit: float) -> tuple[float, float]:
    """The furthest floors from `best` towards both of `last` whose deviance stays below `limit`."""
    brackets = [(best, end) for end in last]
    for _ in range(_ROUNDS):
        floors = [np.geomspace(allowed, end, _STEPS + 1)[1:] for allowed, end in brackets]
        over = _deviances(form, [{"e": float(floor)} for floor in np.concatenate(floors)]).reshape(2, -1) > limit
        brackets = [_closer(*one) for one in zip(brackets, floors, over, strict=True)]
    low, high = (end if allowed == end else float(np.sqrt(allowed * end)) for allowed, end in brackets)
    return low, high


def _closer(bracket: tuple[float, float], floors: Floats, over: NDArray[np.bool_]) -> tuple[float, float]:
    """The step in which the limit is passed; where it is not, the far end twice."""
    if not over.any():
        return bracket[1], bracket[1]
    place = int(over.argmax())
    return (float(floors[place - 1]) if place else bracket[0]), float(floors[place])


def _deviances(form: FormFit, held: Sequence[Mapping[str, float]]) -> Floats:
    return 2 * _refits(form, held).objective


def _refits(form: FormFit, held: Sequence[Mapping[str, float]]) -> Fits:
    """Refits without priors, each with other parameters held, all in one batch."""
    return fit_many(
        form.law,
        form.cells.x,
        np.tile(form.cells.error, (len(held), 1)),
        weights=form.spread**-2.0,
        fixed=form.fixed,
        priors=False,
        space=form.options.space,
        start=form.fits.params[0],
        pinned=held,
        effort=REFIT,
    )
