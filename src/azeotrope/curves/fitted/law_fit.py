"""One law fitted to one curve with the weight that the curve deserves: the larger of the runs' noise and the law's
own misfit.

Two passes: the first with an assumed spread, the second with the one that its residuals show. A law that misses by 5
% then leans on its priors more than one that misses by 1 %, and its draws are wider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from azeotrope.curves.cells import Cells
from azeotrope.laws._law import Floats, Law
from azeotrope.solver.many import HUBER_DELTA, Fits, fit_many
from azeotrope.solver.polish import EXACT, REFIT, Effort
from azeotrope.solver.space import SpaceName

ASSUMED_SPREAD = 0.03
"""sd of log error before residuals are known, and where there are no more cells than parameters."""

LEAST_SPREAD = 0.01
"""No law is trusted to better than 1 %: with few cells a flexible one passes through all of them."""


@dataclass(frozen=True)
class Options:
    """How to fit. `huber` uses δ = 1e-3 on the residual; `bootstrap` 0 asks for point fits only."""

    huber: bool = False
    priors: bool = True
    bootstrap: int = 1000
    seed: int = 0
    level: float = 0.9
    space: SpaceName = "log"

    @property
    def delta(self) -> float | None:
        """Huber's δ, or None for squares."""
        return HUBER_DELTA if self.huber else None


@dataclass(frozen=True)
class FormFit:
    """One law on one curve. `spread` [n] is the sd of log error each cell was given; `misfit` the residual sd,
    freedom accounted for.
    """

    law: Law
    cells: Cells
    options: Options
    fits: Fits
    spread: Floats
    misfit: float
    fixed: Mapping[str, float]

    @property
    def free(self) -> int:
        """Number of parameters that were fitted."""
        return len(self.law.parameters) - len(self.fixed)

    @property
    def residuals(self) -> Floats:
        """Log observed − log fitted, [n]."""
        return np.asarray(np.log(self.cells.error) - np.log(self.predict(self.cells.x)))

    @property
    def weights(self) -> Floats:
        """What the objective weighs each cell with, [n]."""
        return weights_of(self.spread, self.options)

    def predict(self, x: Floats) -> Floats:
        """Error [m] at sizes [axes, m]."""
        return np.asarray(self.fits.predict(x)[0])

    def again(self, error: Floats, weights: Floats | None = None) -> Fits:
        """Refit, from this optimum, to other data [R, n] of the same design: a bootstrap."""
        return fit_many(
            self.law,
            self.cells.x,
            error,
            weights=self.weights if weights is None else self.weights * weights,
            fixed=self.fixed,
            priors=self.options.priors,
            huber=self.options.delta,
            space=self.options.space,
            start=self.fits.params[0],
            effort=REFIT,
        )


KEPT = 512
"""Fits kept in memory: those of a report of a dozen arms."""
_kept: dict[tuple[object, ...], FormFit] = {}


def fit_form(law: Law, cells: Cells, options: Options, fixed: Mapping[str, float] | None = None) -> FormFit:
    """Fit one law to one curve. `fixed` holds further parameters at values, as for `fit_many`.

    Weighing, drawing and `fit` ask for the same curves, so the latest fits are kept.
    """
    held = dict(fixed or {})
    if cells.chance is not None:
        held |= {parameter.name: cells.chance for parameter in law.parameters if parameter.given}
    arrays = (part.tobytes() for part in (cells.x, cells.error, cells.noise))
    key = (law.key, cells.x.shape, *arrays, *sorted(held.items()), options.huber, options.priors, options.space)
    if key not in _kept:
        while len(_kept) >= KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = _fit(law, cells, options, held)
    return replace(_kept[key], cells=cells, options=options)


def _fit(law: Law, cells: Cells, options: Options, held: dict[str, float]) -> FormFit:
    def fit(spread: Floats, start: Floats | None, effort: Effort = EXACT) -> Fits:
        return fit_many(
            law,
            cells.x,
            cells.error,
            weights=weights_of(spread, options),
            fixed=held,
            priors=options.priors,
            huber=options.delta,
            space=options.space,
            start=start,
            effort=effort,
        )

    first = fit(np.maximum(cells.noise, ASSUMED_SPREAD), None, REFIT if options.priors else EXACT)
    misfit = _misfit(cells, first, len(law.parameters) - len(held))
    spread = np.maximum(cells.noise, misfit)
    final = fit(spread, first.params[0]) if options.priors else first
    return FormFit(law, cells, options, final, spread, misfit, held)


def weights_of(spread: Floats, options: Options) -> Floats:
    """Precision of each cell. Huber without priors is unit weights, the objective of Hoffmann et al.; with priors a
    Laplace likelihood.
    """
    if options.delta is None:
        return np.asarray(spread**-2.0)
    if not options.priors:
        return np.ones_like(spread)
    return np.asarray(1 / (options.delta * spread / np.sqrt(2)))


def _misfit(cells: Cells, fits: Fits, free: int) -> float:
    spare = len(cells.error) - free
    if spare < 1:
        return ASSUMED_SPREAD
    residual = np.log(cells.error) - np.log(fits.predict(cells.x)[0])
    return float(max(LEAST_SPREAD, np.sqrt((residual**2).sum() / spare)))
