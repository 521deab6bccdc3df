"""How much each law counts in the draws: by how well it foresees runs that it was not shown.

A boundary is read between the sizes seen, so each size is left out in turn; a forecast reaches beyond them, so the
largest are held out, as `fitting.average` does. Judging a law by the difference of two arms alone was tried: sets were
sharper, and covered too little where every law is wrong (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from azeotrope.curves.cells import Cells, Floats, JointCells
from azeotrope.curves.fitted.average import HoldOut, hold_out, weights
from azeotrope.curves.fitted.law_fit import Options, fit_form
from azeotrope.laws._law import Law

SHARPNESS = 2.0
"""Between sizes, where one law is seen to be right, weights fall faster with its squared error than beyond them."""
RESOLUTION = 1e-4
"""Squared log error (1 %)² added, so that luck on a few sizes does not take all the weight."""
_LEFT_OUT = 1e-9
"""Weight of the size that is left out: small enough not to count, and the fit stays defined."""


def between(laws: Sequence[Law], cells: JointCells, options: Options) -> Floats:
    """One weight a law, adding to 1, for sizes between those seen; the arms share the law of each draw.

    No law has a least weight: 5 % of the draws on a plainly wrong law is the whole tail of a 90 % set.
    """
    if len(laws) == 1:
        return np.ones(1)
    share = (np.array([_left_out(law, cells, options) for law in laws]) + RESOLUTION) ** -SHARPNESS
    return np.asarray(share / share.sum())


def beyond(laws: Sequence[Law], cells: JointCells, options: Options) -> tuple[Floats, Floats]:
    """The same for larger sizes; and what the laws, so weighed, missed of each arm's largest sizes when these were held
    out: root mean square of log error [K], NaN for an arm with too few sizes to hold any out.
    """
    found = [hold_out(laws, cells.curve(arm), options).squared_error for arm in range(len(cells.arms))]
    known = [error for error in found if error is not None]
    share = weights(HoldOut(np.mean(known, axis=0) if len(known) == len(found) else None, ()), len(laws))
    missed = [np.nan if error is None else float(np.sqrt(share @ error)) for error in found]
    return share, np.array(missed)


def judgeable(laws: Sequence[Law], sizes: int) -> list[Law]:
    """Laws that leave two sizes over to be judged by, or have three parameters at most."""
    return [law for law in laws if sum(not p.given for p in law.parameters) <= max(3, sizes - 2)]


def _left_out(law: Law, cells: JointCells, options: Options) -> float:
    """Mean over arms of the squared log error at sizes that the fit was not shown."""
    return float(np.mean([np.mean(_misses(law, cells.curve(arm), options) ** 2) for arm in range(len(cells.arms))]))


def _misses(law: Law, curve: Cells, options: Options) -> Floats:
    """Log of foreseen over observed error [n], each size foreseen from the others."""
    sizes = len(curve.error)
    without = np.where(np.eye(sizes, dtype=bool), _LEFT_OUT, 1.0)
    fits = fit_form(law, curve, options).again(np.tile(curve.error, (sizes, 1)), without)
    return np.asarray(np.log(np.diag(fits.predict(curve.x)) / curve.error))
