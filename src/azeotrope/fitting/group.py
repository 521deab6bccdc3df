"""One group of runs, one set of laws, their average with intervals, and what to doubt: the whole of `fit` for one
curve or surface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from azeotrope.curves.cells import Cells
from azeotrope.curves.fitted import average
from azeotrope.curves.fitted.draws import prediction_draws, replicates
from azeotrope.curves.fitted.law_fit import FormFit, Options, fit_form
from azeotrope.curves.joint_draws import Draws
from azeotrope.fitting.checklist import checklist
from azeotrope.fitting.diagnose import warnings_of
from azeotrope.fitting.profile import floor_interval, identified
from azeotrope.fitting.result import Average, GroupFit, LawFit, ParameterFit, Prediction
from azeotrope.laws._law import Floats, Law
from azeotrope.record.interval import Interval, quantile_interval
from azeotrope.solver.many import highest

_CURVE = 48
_BOUND = 0.01


def fit_group(
    cells: Cells,
    laws: Sequence[Law],
    axes: Sequence[str],
    at: Sequence[float],
    options: Options,
    *,
    unit: str,
    excluded: Mapping[str, int],
    warnings: Sequence[str] = (),
    drawn: Draws | None = None,
) -> GroupFit:
    """Fit `laws` to the cells and average them; predictions reach along the last axis at sizes `at` (default: twice
    the largest).

    `axes` names the rows of `cells.x`; `excluded` counts rows left out before. Along one axis `drawn` holds this
    group's curve, as every command draws it.
    """
    forms = [fit_form(law, cells, options) for law in laws]
    held_out = average.hold_out(laws, cells, options)
    share = average.weights(held_out, len(laws)) if drawn is None else np.array(list(drawn.beyond.values()))
    asked = np.array(at or [2 * cells.sizes[-1]], float)
    held = {axis: float(row.max()) for axis, row in zip(axes[:-1], cells.x[:-1], strict=True)}
    fitted = {
        form.law.key: _law_fit(form, float(weight), held_out, position)
        for position, (form, weight) in enumerate(zip(forms, share, strict=True))
    }
    curves = np.log([form.predict(_along(held, asked)) for form in forms])
    return GroupFit(
        laws=fitted,
        average=Average(
            weights=dict(zip(fitted, map(float, share), strict=True)), hold_out_cuts=held_out.cuts, held=held
        ),
        predictions=_predictions(forms, share, held, asked, drawn),
        curve=_predictions(forms, share, held, _drawn(cells, asked), drawn),
        warnings=(*dict.fromkeys(warnings), *warnings_of(forms, fitted, asked, curves, averaged=len(laws) > 1)),
        checklist=checklist(forms, share, axes, unit, excluded),
    )


def _law_fit(form: FormFit, weight: float, held_out: average.HoldOut, position: int) -> LawFit:
    missed = None if held_out.squared_error is None else float(np.sqrt(held_out.squared_error[position]))
    return LawFit(
        formula=form.law.formula,
        reference=form.law.reference,
        parameters=_parameters(form),
        weight=weight,
        misfit=form.misfit,
        hold_out=missed,
        converged=bool(form.fits.converged[0]),
    )


def _parameters(form: FormFit) -> dict[str, ParameterFit]:
    law, options = form.law, form.options
    value = form.fits.natural()[0]
    ends: Floats = np.full((2, len(value)), np.nan)
    if options.bootstrap:
        draws = replicates(form, options.bootstrap, np.random.default_rng(options.seed)).natural()
        tail = (1 - options.level) / 2
        ends = np.quantile(draws, [tail, 1 - tail], axis=0)
    found, told = {}, identified(form)
    for i, parameter in enumerate(law.parameters):
        if parameter.name in form.fixed:
            continue
        lowest = float(form.cells.error.min())
        least = parameter.low * (lowest if parameter.of_lowest_error else 1.0)
        at, most = form.fits.params[0, i], highest(parameter, lowest, form.fixed)
        floor = floor_interval(form) if parameter.name == "e" else None
        low, high = ends[:, i] if floor is None else (min(ends[0, i], floor.low), max(ends[1, i], floor.high))
        found[parameter.name] = ParameterFit(
            value=float(value[i]),
            low=float(low) if options.bootstrap else None,
            high=float(high) if options.bootstrap else None,
            unit=parameter.unit,
            identified=told[parameter.name],
            at_bound=bool(np.log(at / least) < _BOUND or np.log(most / at) < _BOUND),
            profile=(floor.low, floor.high) if floor else None,
        )
    return found


def _predictions(
    forms: Sequence[FormFit], share: Floats, held: Mapping[str, float], at: Floats, drawn: Draws | None
) -> tuple[Prediction, ...]:
    options, x = forms[0].options, _along(held, at)
    value: Floats = average.predict(forms, share, x) if drawn is None else np.minimum(drawn.middle(at)[0], drawn.most)
    low: Sequence[float | None] = [None] * len(at)
    high = low
    if options.bootstrap:
        found = (
            drawn.intervals(0, at, options.level) if drawn is not None else _surface_intervals(forms, share, x, value)
        )
        low, high = [one.low for one in found], [one.high for one in found]
    return tuple(
        Prediction(
            at=float(size), value=float(middle), low=below, high=above, reach=float(size / forms[0].cells.sizes[-1])
        )
        for size, middle, below, above in zip(at, value, low, high, strict=True)
    )


def _surface_intervals(forms: Sequence[FormFit], share: Floats, x: Floats, value: Floats) -> list[Interval]:
    """Intervals along two axes, from refits of each law by its weight."""
    options = forms[0].options
    draws = np.exp(prediction_draws(forms, share, x, options.bootstrap, np.random.default_rng(options.seed)))
    return [quantile_interval(float(one), column, options.level) for one, column in zip(value, draws.T, strict=True)]


def _along(held: Mapping[str, float], at: Floats) -> Floats:
    """Sizes [axes, m]: other axes held, the last one at `at`."""
    return np.array([np.full(len(at), value) for value in held.values()] + [at])


def _drawn(cells: Cells, asked: Floats) -> Floats:
    sizes = cells.sizes[cells.sizes > 0]
    return np.asarray(np.geomspace(sizes[0], max(sizes[-1], asked.max()), _CURVE))
