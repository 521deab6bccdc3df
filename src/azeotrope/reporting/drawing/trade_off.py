"""Draws error against cost over all students, arms and sizes, with the front of those that nothing beats in both.

The price of labels is not in it: a dot at more images needs more labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.drawing.scales import arm_colours, chart_of, log_size
from azeotrope.reporting.drawing.theme import SOFT_INK
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.words import duration, plural

_ROOM = 1.4


@dataclass(frozen=True)
class Dot:
    """One arm of one student at one size: seconds of a run with shared work divided, error in per cent.

    `front`: no other dot is both cheaper and better.
    """

    student: str
    arm: str
    train_images: int
    seconds: float
    error: float
    front: bool


def numbers(comparisons: Sequence[Comparison]) -> tuple[Dot, ...]:
    """The dots, cheapest first; arms without a finished run or without recorded seconds are left out."""
    found = [
        (sum(arm.seconds_amortised.values()), arm.test_error.value, arm.name, comparison)
        for comparison in comparisons
        for arm in comparison.arms
        if arm.test_error is not None and sum(arm.seconds_amortised.values()) > 0
    ]
    dots, best = [], float("inf")
    for seconds, error, arm, comparison in sorted(found, key=lambda item: item[:3]):
        front, best = error < best, min(best, error)
        dots.append(Dot(comparison.student, arm, comparison.train_images, seconds, 100 * error, front))
    return tuple(dots)


def figure(
    dots: Sequence[Dot], arms: Sequence[str], reference: str, title: str = "error on the test images (%)"
) -> Chart:
    """Both axes logarithmic; colour is the arm, shape the student, the line the front, labels its image counts.

    `arms` gives the order of colours, so that an arm has one colour on all of the page; `title` names the error.
    """
    rows = [{**dot.__dict__, "label": f"{dot.train_images:,}", "said": _said(dot)} for dot in dots]
    seconds = [dot.seconds for dot in dots]
    x = log_size("seconds", "seconds a run, shared work divided", min(seconds) / _ROOM, max(seconds) * _ROOM)
    labelled = alt.Axis(labelExpr="format(datum.value, '.3~r')")  # else a log axis without 1, 2 or 5 has no labels
    log = alt.Scale(type="log", nice=False, padding=20)
    y = alt.Y("error:Q", title=title, scale=log, axis=labelled)
    legend = alt.Legend(title=None, orient="top", columns=3, symbolOpacity=1)
    base = chart_of(rows).encode(x=x, y=y, description=alt.Description("said:N"))
    front = chart_of([row for row in rows if row["front"]]).encode(x=x, y=y)
    shape = {"shape": alt.Shape("student:N", legend=legend)} if len({dot.student for dot in dots}) > 1 else {}
    return alt.layer(
        front.mark_line(aria=False, interpolate="step-after", color=SOFT_INK, strokeDash=[4, 3], strokeWidth=1.2),
        base.mark_point(filled=True, size=75, opacity=0.9).encode(
            color=alt.Color("arm:N", scale=arm_colours(arms, reference), legend=legend), **shape
        ),
        front.mark_text(aria=False, dy=14, dx=-4, align="right", fontSize=11, color=SOFT_INK).encode(
            text=alt.Text("label:N")
        ),
    ).properties(height=360, description="Test error against seconds a run; the line joins what nothing beats in both")


def _said(dot: Dot) -> str:
    who = f"{dot.student}, {dot.arm}" if dot.student else dot.arm
    return f"{who}, {plural(dot.train_images, 'training image')}: {dot.error:.1f} %, {duration(dot.seconds)} a run"
