"""Several laws, one prediction: each law weighs as much as it foresaw the largest sizes from the smaller ones.

Picking the one winner did worse than always using M4, so no law falls below a floor. Averages are
of log error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from azeotrope.curves.cells import Cells
from azeotrope.curves.fitted.law_fit import FormFit, Options, fit_form
from azeotrope.laws._law import Floats, Law

LEAST_WEIGHT = 0.05
SHARPNESS, HELD_OUT = 1.0, (0.3, 0.5)
"""Weights go as one over the squared hold-out error, as means of independent estimates do. These shares of the largest
sizes are held out, in turn, and fewer where less than four sizes would remain. On the vision curves powers of 0.5 to 1
foresee best (`python benchmarks/vision_curves.py --choose`)."""

FEWEST_LEFT = 4
BREAKABLE, BREAK_LEFT = 8, 5
"""From eight sizes on `broken` is among the laws, and five must remain, so that its break can be seen."""
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


def hold_out(laws: Sequence[Law], cells: Cells, options: Options, shares: Sequence[float] = HELD_OUT) -> HoldOut:
    """Fit each law without the largest sizes, these `shares` of them in turn, and ask it for them."""
    missed, shown, cuts = [], [], []
    for last in _cuts(cells.sizes, shares):
        near = cells.x[-1] <= last
        forms = [fit_form(law, cells.where(near), options) for law in laws]
        missed.append([_squared_error(form, cells.where(~near)) for form in forms])
        shown.append([form.misfit**2 for form in forms])
        cuts.append(last)
    if not cuts:
        return HoldOut(None, ())
    return HoldOut(np.mean(missed, axis=0), tuple(cuts), np.mean(shown, axis=0))


def weights(held: HoldOut, count: int, sharpness: float = SHARPNESS) -> Floats:
    """One weight for each of `count` laws, adding to 1, none below the floor; equal without hold-out.

    They fall with the squared error on held-out sizes plus that on shown ones, so that a law which misses the data
    does not win by luck at the largest size.
    """
    if held.squared_error is None:
        return np.full(count, 1 / count)
    share = (held.squared_error + held.shown + _RESOLUTION) ** -sharpness
    share = np.maximum(share / share.sum(), LEAST_WEIGHT)
    return np.asarray(share / share.sum())


def predict(forms: Sequence[FormFit], share: Floats, x: Floats) -> Floats:
    """The averaged error [m] at sizes [axes, m]: a weighted geometric mean."""
    return np.asarray(np.exp(share @ np.log([form.predict(x) for form in forms])))


def _cuts(sizes: Floats, shares: Sequence[float]) -> list[float]:
    """Largest size still shown, one a hold-out."""
    most = len(sizes) - (FEWEST_LEFT if len(sizes) < BREAKABLE else BREAK_LEFT)
    held = {min(most, max(1, round(share * len(sizes)))) for share in shares}
    return [float(sizes[-count - 1]) for count in sorted(held) if count > 0]


def _squared_error(form: FormFit, hidden: Cells) -> float:
    return float(np.mean((np.log(form.predict(hidden.x)) - np.log(hidden.error)) ** 2))
