"""What a sweep adds to the pages of its comparisons: laws, boundaries and advice over sizes, as the page shows them.

It holds what `analysis/study.py` worked out, and turns it into drawings and short texts; it computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from azeotrope.advice.answer import Advice
from azeotrope.boundaries.boundary import Boundary
from azeotrope.fitting.result import Checklist, FitResult, LawFit
from azeotrope.reporting.drawing import curves, difference
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.texts import boundary_text


@dataclass(frozen=True)
class Study:
    """One student over sizes: its fitted curves, and the boundary of every arm against the reference.

    `unfitted` says why there is no law or no boundary, where there is none; `over` names the sizes.
    """

    student: str
    teacher: str
    reference: str
    fitted: FitResult | None
    boundaries: tuple[Boundary, ...] = ()
    unfitted: tuple[str, ...] = ()
    over: str = "sizes"


@dataclass(frozen=True)
class Sweep:
    """All students of one task over sizes, and the advice for the largest size (None: it could not be given)."""

    studies: tuple[Study, ...]
    advice: Advice | None = None


class Panel(NamedTuple):
    """A figure with its words, not yet drawn."""

    title: str
    caption: str
    chart: Callable[[], Chart]


_CURVES = (
    "Lines are averaged laws with their 90 % band, dots the mean of the seeds; below, how far each mean lies from its "
    "line (log error). Both axes of the upper panel are logarithmic."
)
_DIFFERENCE = (
    "Above zero {challenger} is better. Dots are means of paired seeds with their 95 % interval; the line and its 90 % "
    "band are the laws’; grey: beyond the sizes run."
)


def panels(study: Study) -> list[Panel]:
    """The curves of one student, then one difference for each arm against the reference."""
    found = []
    if (fitted := study.fitted) is not None:
        found.append(Panel(f"Error curves of {study.student}", _CURVES, partial(_curves, fitted, study.reference)))
    for boundary in study.boundaries:
        said = _DIFFERENCE.format(challenger=boundary.challenger)
        found.append(Panel(boundary_text.headline(boundary), said, partial(_difference, boundary)))
    return found


def _curves(fitted: FitResult, reference: str) -> Chart:
    return curves.figure(curves.numbers(fitted), reference)


def _difference(boundary: Boundary) -> Chart:
    return difference.figure(difference.numbers(boundary))


class FitRow(NamedTuple):
    """One law on one arm, in words."""

    arm: str
    law: str
    weight: str
    misfit: str
    hold_out: str
    parameters: str


def fit_rows(study: Study) -> list[FitRow]:
    """Every law that was fitted for one student, heaviest first within an arm."""
    if study.fitted is None:
        return []
    return [
        FitRow(
            name,
            key,
            f"{law.weight:.0%}",
            f"{law.misfit:.3f}",
            "–" if law.hold_out is None else f"{law.hold_out:.3f}",
            _parameters(law),
        )
        for name, group in study.fitted.groups.items()
        for key, law in sorted(group.laws.items(), key=lambda item: -item[1].weight)
    ]


def checklists(study: Study) -> dict[str, Checklist]:
    """The checklist of every arm that was fitted."""
    if study.fitted is None:
        return {}
    return {name: group.checklist for name, group in study.fitted.groups.items() if group.checklist}


def _parameters(law: LawFit) -> str:
    return ", ".join(
        f"{name} = {found.value:.3g}"
        + ("" if found.low is None or found.high is None else f" ({found.low:.3g} to {found.high:.3g})")
        + ("" if found.identified else ", not identified")
        for name, found in law.parameters.items()
    )
