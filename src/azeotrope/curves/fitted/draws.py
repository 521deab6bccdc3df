"""Draws of the averaged prediction: what the runs' noise, each law's misfit and the choice of law leave open.

Intervals from one law's bootstrap alone covered 14-38 % at nominal 90 % on real curves. Three
parts are joined here: the cluster bootstrap refits each law; a cell's spread is the larger of noise and that law's
misfit (lack of fit); and each draw takes one law by its weight (between-form variance).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from azeotrope.curves.fitted.law_fit import FormFit
from azeotrope.laws._law import Floats
from azeotrope.solver.many import Fits

RESAMPLED_FROM = 20
"""From this many cells, cells are drawn with replacement. Fewer would too often leave no curve to fit, so they are
moved instead, by a joint Student's t with their own spread."""


def replicates(form: FormFit, count: int, rng: np.random.Generator) -> Fits:
    """`count` refits of one law to bootstrap data of its curve; equal generators give equal clusters, which pairs the
    laws.
    """
    error = np.broadcast_to(form.cells.error, (count, len(form.cells.error)))
    n = error.shape[1]
    if n >= RESAMPLED_FROM:
        return form.again(error, rng.multinomial(n, np.full(n, 1 / n), size=count).astype(float))
    freedom = max(2, n - form.free + int((form.cells.runs - 1).sum()))
    scale = np.sqrt(freedom / rng.chisquare(freedom, size=(count, 1)))  # one a draw: the spread itself is uncertain
    return form.again(error * np.exp(form.spread * scale * rng.standard_normal((count, n))))


def prediction_draws(
    forms: Sequence[FormFit], share: Floats, x: Floats, count: int, rng: np.random.Generator
) -> Floats:
    """Log error [count, m] at sizes [axes, m], laws mixed in proportion to `share`."""
    portions = np.diff(np.round(np.concatenate([[0.0], np.cumsum(share)]) * count)).astype(int)
    draws = [
        np.log(replicates(form, portion, rng).predict(x))
        for form, portion in zip(forms, portions, strict=True)
        if portion
    ]
    return np.concatenate(draws)
