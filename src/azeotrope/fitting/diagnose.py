"""What weakens a fit, in sentences a person can act on. It looks at fits that are done and changes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from azeotrope.curves.fitted.law_fit import FormFit
from azeotrope.fitting.result import LawFit
from azeotrope.laws._law import Floats

FAR = 5.0
"""Predictions beyond this multiple of the largest size are said to be far."""

_MISSES = 3.0
_DISAGREE = np.log(1.5)


def warnings_of(
    forms: Sequence[FormFit], laws: Mapping[str, LawFit], at: Floats, curves: Floats, *, averaged: bool
) -> tuple[str, ...]:
    """All warnings on one group; `curves` [laws, m] are log errors of each law at the asked sizes `at` [m]."""
    return (
        *_unidentified(laws),
        *_ceiling(forms),
        *_misfit(forms),
        *_far(forms[0].cells.sizes[-1], at),
        *_disagreement(at, curves),
        *(() if averaged else ("one law only: the intervals do not hold the choice of law, and are too narrow",)),
    )


def _unidentified(laws: Mapping[str, LawFit]) -> list[str]:
    found = []
    for key, law in laws.items():
        lost = [name for name, parameter in law.parameters.items() if not parameter.identified]
        if lost:
            found.append(f"{key}: {', '.join(lost)} not identified by these runs; read the curve, not the parameter")
        if not law.converged:
            found.append(f"{key}: the optimiser stopped before its tolerance")
    return found


def _ceiling(forms: Sequence[FormFit]) -> list[str]:
    cells = forms[0].cells
    if cells.chance is None or cells.error.max() <= cells.chance:
        return []
    return [f"some errors exceed chance ({cells.chance:.3g}); forms with a ceiling cannot reach them"]


def _misfit(forms: Sequence[FormFit]) -> list[str]:
    known = forms[0].cells.noise.max() > 0
    least = min(float(np.sqrt(np.mean((form.residuals / form.cells.noise) ** 2))) for form in forms) if known else 0.0
    if least < _MISSES:
        return []
    return [
        f"every law misses the cells by {least:.1f} times the runs' own noise or more; none of these forms is right"
    ]


def _far(largest: float, at: Floats) -> list[str]:
    far = at[at > FAR * largest]
    return [
        f"{size:g} is {size / largest:.0f} times the largest size; laws that agree here need not agree there"
        for size in far
    ]


def _disagreement(at: Floats, curves: Floats) -> list[str]:
    spread = np.ptp(curves, axis=0)
    return [
        f"at {size:g} the laws differ by a factor {np.exp(gap):.1f}; a run nearer to it would settle which is right"
        for size, gap in zip(at, spread, strict=True)
        if gap > _DISAGREE
    ]
