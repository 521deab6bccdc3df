"""How much each law counts in the draws: by how well it foresees runs that it was not shown, all arms together.

A boundary is read between the sizes seen, so each size is left out in turn; a forecast reaches beyond them, so the
largest are held out, as `fitting.average` does. On vision transfer curves the two disagree: a law that foresees the
middle to 1 % may miss the next size by 5 %, and the other way round (docs/method.md). Between sizes no law has a least
weight: 5 % of the draws on a law that is plainly wrong would be the whole tail of a 90 % set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from azeotrope.advice.cells import Floats
from azeotrope.fitting.average import SHARPNESS, HoldOut, hold_out, weights
from azeotrope.fitting.cells import Cells
from azeotrope.fitting.form import Options, fit_form
from azeotrope.laws._law import Law

Question = Literal["between", "beyond"]

RESOLUTION = 1e-4
"""Squared log error (1 %)² added, so that luck on a few sizes does not take all the weight."""
_LEFT_OUT = 1e-9
"""Weight of the size that is left out: small enough not to count, and the fit stays defined."""


def weigh(laws: Sequence[Law], curves: Sequence[Cells], options: Options, question: Question) -> Floats:
    """One weight a law, adding to 1, from the mean of the arms' errors: they share the law of each draw."""
    if len(laws) == 1:
        return np.ones(1)
    if question == "beyond":
        missed = _held_out(laws, curves, options)
        return weights(HoldOut(np.mean(missed, axis=0) if missed else None, ()), len(laws))
    share = (np.mean([_left_out(laws, curve, options) for curve in curves], axis=0) + RESOLUTION) ** -SHARPNESS
    return np.asarray(share / share.sum())


def judgeable(laws: Sequence[Law], sizes: int) -> list[Law]:
    """Laws that leave two sizes over to be judged by, or have three parameters at most."""
    return [law for law in laws if sum(not p.given for p in law.parameters) <= max(3, sizes - 2)]


def _held_out(laws: Sequence[Law], curves: Sequence[Cells], options: Options) -> list[Floats]:
    """Mean squared log error [laws] of each arm on its largest sizes; nothing when an arm has too few to hold out."""
    found = [hold_out(laws, curve, options).squared_error for curve in curves]
    known = [error for error in found if error is not None]
    return known if len(known) == len(curves) else []


def _left_out(laws: Sequence[Law], curve: Cells, options: Options) -> Floats:
    """Mean squared log error [laws] at each size when the curve is fitted without it."""
    return np.array([_cross_validated(law, curve, options) for law in laws])


def _cross_validated(law: Law, curve: Cells, options: Options) -> float:
    sizes = len(curve.error)
    without = np.where(np.eye(sizes, dtype=bool), _LEFT_OUT, 1.0)
    fits = fit_form(law, curve, options).again(np.tile(curve.error, (sizes, 1)), without)
    foreseen = np.diag(fits.predict(curve.x))
    return float(np.mean((np.log(foreseen) - np.log(curve.error)) ** 2))
