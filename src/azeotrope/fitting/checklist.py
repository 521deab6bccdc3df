"""Fills the (Mis)Fitting checklist (Li et al. 2025, arXiv 2502.18969) from what was done, so that it cannot drift
from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from azeotrope.curves.fitted import average
from azeotrope.curves.fitted.draws import RESAMPLED_FROM
from azeotrope.curves.fitted.law_fit import ASSUMED_SPREAD, LEAST_SPREAD, FormFit
from azeotrope.fitting.result import Checklist, Point
from azeotrope.laws._law import Floats, Law
from azeotrope.solver.many import HUBER_DELTA
from azeotrope.solver.polish import EXACT

_RESAMPLED, _MOVED = "resampled", "moved by joint t draws of their spread"
_GRID = "grid over exponents with non-negative least squares inside"
_UNITS = {
    "train_images": "labelled task images",
    "pretrain_images": "upstream images",
    "parameters": "parameters of the student, all of them",
}


def checklist(
    forms: Sequence[FormFit], share: Floats, axes: Sequence[str], unit: str, excluded: Mapping[str, int]
) -> Checklist:
    """Everything needed to repeat the fit of one group."""
    first = forms[0]
    laws = [form.law for form in forms]
    options = first.options
    return Checklist(
        equations={law.key: law.formula for law in laws},
        variables={axis: _UNITS[axis] for axis in axes}
        | {"error": "mean loss" if unit == "loss" else "share of test images"},
        counting="sizes as recorded by the runs; a cell is one combination of sizes, its runs averaged in log error",
        runs_used=int(first.cells.runs.sum()),
        runs_excluded=dict(excluded),
        loss=f"Huber, delta {HUBER_DELTA:g}, on log error" if options.huber else "squares of log error",
        optimiser=f"{_GRID}, then Levenberg-Marquardt in log parameters",
        tolerance=EXACT.tolerance,
        starts={
            law.key: f"{len(law.grid(form.fixed))} grid points, best {law.starts} polished"
            for law, form in zip(laws, forms, strict=True)
        },
        bounds={law.key: {p.name: (p.low, p.high) for p in law.parameters if not p.given} for law in laws},
        weights=(
            "1 / variance of a cell: the larger of its runs' noise and the law's residual spread "
            f"(at least {LEAST_SPREAD:g}; {ASSUMED_SPREAD:g} where no cell is spare)"
        ),
        priors={law.key: _priors(law) if options.priors else {} for law in laws},
        hold_out=(
            f"largest {' and '.join(f'{held:.0%}' for held in average.HELD_OUT)} of sizes, weights as error ** "
            f"-{2 * average.SHARPNESS:g}, at least {average.LEAST_WEIGHT:.0%}"
        ),
        intervals="joint draws of all arms: seeds, test images, misfit, and one law a draw by its weight"
        if len(axes) == 1
        else (
            f"cells {_RESAMPLED if len(first.cells.error) >= RESAMPLED_FROM else _MOVED}, "
            "each draw refitted with one law by its weight"
        ),
        bootstrap=options.bootstrap,
        seed=options.seed,
        points=_points(forms, share, axes),
    )


def _priors(law: Law) -> dict[str, str]:
    found = {}
    for parameter in law.parameters:
        if parameter.prior is not None:
            unit = " x lowest error" if parameter.of_lowest_error else ""
            found[parameter.name] = (
                f"log-normal, median {parameter.prior.median:g}{unit}, sd {parameter.prior.log_sd:g}"
            )
    return found


def _points(forms: Sequence[FormFit], share: Floats, axes: Sequence[str]) -> tuple[Point, ...]:
    cells = forms[0].cells
    residual = np.log(cells.error) - np.log(average.predict(forms, share, cells.x))
    return tuple(
        Point(
            sizes=dict(zip(axes, map(float, sizes), strict=True)),
            error=float(error),
            runs=int(runs),
            residual=float(miss),
        )
        for sizes, error, runs, miss in zip(cells.x.T, cells.error, cells.runs, residual, strict=True)
    )
