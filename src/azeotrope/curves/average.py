"""Several laws, one prediction: each law weighs as much as it foresaw the largest sizes from the smaller ones.

Picking the one winner did worse than always using M4, so no law falls below a floor. Averages are
of log error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from azeotrope.curves.cells import Cells
from azeotrope.curves.law_fit import FormFit, Options, fit_form
from azeotrope.laws._law import Floats, Law

LEAST_WEIGHT = 0.05
SHARPNESS = 2.0
"""Weights go as (squared hold-out error) ** −2. Chosen, with HELD_OUT, on the `fit` rows of the vision curves alone,
each cut at half its length: powers 0, 1, 2, 3 foresaw the hidden half with RMSE 0.050, 0.037, 0.034, 0.033."""

HELD_OUT = (0.15, 0.3)
"""Shares of the largest sizes held out, in turn; fewer than four sizes must not remain."""

FEWEST_LEFT = 4
_RESOLUTION = 1e-4
"""Squared log error (1 %)² added to the hold-out error, so that luck on one size does not take all the weight."""


@dataclass(frozen=True)
class HoldOut:
    """Mean squared log error of each law on held-out largest sizes, [laws]; None where there were too few sizes to
    hold any out.

    `cuts` are the largest sizes that were still shown, one a round; `shown` the mean squared log error on those,
    [laws].
    """

    squared_error: Floats | None
    cuts: tuple[float, ...]
    shown: Floats | float = 0.0


def hold_out(laws: Sequence[Law], cells: Cells, options: Options) -> HoldOut:
    """Fit each law without the largest sizes and ask it for them."""
    missed, shown, cuts = [], [], []
    for last in _cuts(cells.sizes):
        near = cells.x[-1] <= last
        forms = [fit_form(law, cells.where(near), options) for law in laws]
        missed.append([_squared_error(form, cells.where(~near)) for form in forms])
        shown.append([form.misfit**2 for form in forms])
        cuts.append(last)
    if not cuts:
        return HoldOut(None, ())
    return HoldOut(np.mean(missed, axis=0), tuple(cuts), np.mean(shown, axis=0))


def weights(held: HoldOut, count: int) -> Floats:
    """One weight for each of `count` laws, adding to 1, none below the floor; equal without hold-out.

    They fall with the squared error on held-out sizes plus that on shown ones, so that a law which misses the data
    does not win by luck at the largest size.
    """
    if held.squared_error is None:
        return np.full(count, 1 / count)
    share = (held.squared_error + held.shown + _RESOLUTION) ** -SHARPNESS
    share = np.maximum(share / share.sum(), LEAST_WEIGHT)
    return np.asarray(share / share.sum())


def predict(forms: Sequence[FormFit], share: Floats, x: Floats) -> Floats:
    """The averaged error [m] at sizes [axes, m]: a weighted geometric mean."""
    return np.asarray(np.exp(share @ np.log([form.predict(x) for form in forms])))


def _cuts(sizes: Floats) -> list[float]:
    """Largest size still shown, one a hold-out."""
    held = {max(1, round(share * len(sizes))) for share in HELD_OUT}
    return [float(sizes[-count - 1]) for count in sorted(held) if len(sizes) - count >= FEWEST_LEFT]


def _squared_error(form: FormFit, hidden: Cells) -> float:
    return float(np.mean((np.log(form.predict(hidden.x)) - np.log(hidden.error)) ** 2))
