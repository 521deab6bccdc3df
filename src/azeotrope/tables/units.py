"""Is this column a fraction, a per cent or a loss? Recognised from its name and range, and said to the user.

It converts nothing and leaves nothing out.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from azeotrope.errors import InputError

Unit = Literal["fraction", "percent", "loss"]

_LOSS_WORDS = ("loss", "nll", "perplexity", "entropy")
_PERCENT_WORDS = ("percent", "per_cent", "pct", "prozent", "%")
AMBIGUOUS = 2.0
"""Largest value of a column without a unit up to which it is not clear whether it is per cent."""


def recognise_unit(name: str, values: NDArray[np.float64], said: Unit | Literal["auto"] = "auto") -> Unit:
    """The unit of the finite `values` [n] of column `name`; `said` is the user's word, which is checked, not guessed.

    Raises InputError when values are negative, exceed what the unit allows, or leave open whether they are per cent.
    """
    if values.min(initial=0.0) < 0:
        raise InputError(
            "An error or a loss may not be negative",
            found=f"{values.min():g} in column {name!r}",
            allowed="0 or more",
            next_step="correct these rows, or name another column with --error",
        )
    largest = float(values.max(initial=0.0))
    unit = said if said != "auto" else _guess(name.lower(), largest)
    if said == "auto" and unit == "percent" and largest <= AMBIGUOUS and not _says_percent(name.lower()):
        raise InputError(
            f"Column {name!r} may be per cent, or a share of which some are wrong",
            found=f"values {values.min():g} to {largest:g}",
            allowed="shares up to 1, or per cent",
            next_step="say --error-unit percent, or correct the rows above 1",
        )
    limit = {"fraction": 1.0, "percent": 100.0, "loss": np.inf}[unit]
    if largest > limit:
        raise InputError(
            f"Column {name!r} is read as {_WORDS[unit]}, which cannot exceed {limit:g}",
            found=f"values up to {largest:g}",
            allowed=f"0 to {limit:g}, or a loss with --error-unit loss",
            next_step="correct these rows, or say --error-unit loss if this is a loss",
        )
    return unit


def describe_unit(name: str, unit: Unit, values: NDArray[np.float64]) -> str:
    """What the user is told: the unit taken, and the range it was taken from."""
    span = f"values {values.min():g} to {values.max():g}"
    return f"column {name!r} is read as {_WORDS[unit]} ({span}); --error-unit changes it"


def amount(value: float, unit: Unit) -> str:
    """An error or loss as it is read: 0.1184 -> "11.8 %", or "0.118" of a loss."""
    return f"{value:.3f}" if unit == "loss" else f"{100 * value:.1f} %"


def ends(low: float, high: float, unit: Unit) -> str:
    """The ends of an interval behind its `amount`: "11.6 to 12.0", or "0.116 to 0.120" of a loss."""
    return f"{low:.3f} to {high:.3f}" if unit == "loss" else f"{100 * low:.1f} to {100 * high:.1f}"


def gap(difference: float, unit: Unit) -> str:
    """A small difference: 0.005 -> "0.5 points", or "0.005" of a loss."""
    return f"{difference:.2g}" if unit == "loss" else f"{100 * difference:.2g} points"


_WORDS: dict[Unit, str] = {"fraction": "a fraction", "percent": "per cent", "loss": "a loss (no upper bound)"}


def _guess(name: str, largest: float) -> Unit:
    if any(word in name for word in _LOSS_WORDS):
        return "loss"
    if _says_percent(name):
        return "percent"
    return "fraction" if largest <= 1 else "percent"


def _says_percent(name: str) -> bool:
    return any(word in name for word in _PERCENT_WORDS)
