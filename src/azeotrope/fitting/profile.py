"""Can the runs alone tell a parameter? The likelihood's profile, without priors, as a check on values that priors may
have supplied.

A parameter is identified when moving it away, with all others refitted, makes the runs clearly less likely in both
directions. A floor is when zero is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from azeotrope.curves.law_fit import FormFit
from azeotrope.laws._law import Floats
from azeotrope.record.interval import Interval
from azeotrope.solver.many import Fits, fit_many, highest

RISE = 2.71
"""Rise of the deviance that 90 % intervals allow: the 0.90 quantile of χ² with one degree of freedom."""

_AWAY = 2.0
_ZERO = 1e-3
_CLOSE = 1e-3


@dataclass(frozen=True)
class Profile:
    """Deviance above the best [k] with a parameter held at `values` [k] (at the reference sizes)."""

    values: Floats
    deviance: Floats


def profile(form: FormFit, name: str, values: Floats) -> Profile:
    """Refit without priors with the parameter held at each value in turn."""
    at = [_deviance(form, {name: float(value)}) for value in values]
    return Profile(values, np.array(at) - min(_deviance(form, {}), *at))


def identified(form: FormFit, name: str) -> bool:
    """Whether the runs reject both half and double the fitted value; for a floor, whether they reject zero."""
    value = float(form.fits.params[0, form.law.index(name)])
    away = [value * _ZERO] if name == "e" else [value / _AWAY, value * _AWAY]
    return bool((profile(form, name, np.array(away)).deviance >= RISE).all())


def floor_interval(form: FormFit) -> Interval:
    """The floors that the runs allow at 90 %, without prior and whatever the bootstrap says; from 0 when they allow
    none.
    """
    free = _fit(form, {})
    best = float(free.params[0, form.law.index("e")])
    lowest = float(form.cells.error.min())
    least, most = lowest * _ZERO, highest(form.law.parameters[form.law.index("e")], lowest, form.fixed)

    def excess(floor: float) -> float:
        return _deviance(form, {"e": floor}) - 2 * float(free.objective[0]) - RISE

    low = 0.0 if best <= least or excess(least) < 0 else brentq(excess, least, best, rtol=_CLOSE)
    high = most if best >= most or excess(most) < 0 else brentq(excess, max(best, least), most, rtol=_CLOSE)
    return Interval(float(form.fits.params[0, form.law.index("e")]), low, max(low, high), 0.9)


def _deviance(form: FormFit, held: dict[str, float]) -> float:
    return 2 * float(_fit(form, held).objective[0])


def _fit(form: FormFit, held: dict[str, float]) -> Fits:
    return fit_many(
        form.law,
        form.cells.x,
        form.cells.error,
        weights=form.spread**-2.0,
        fixed={**form.fixed, **held},
        priors=False,
        space=form.options.space,
        start=form.fits.params[0],
    )
