"""Draws error over size on log-log axes: each group's averaged law with its band and raw points, and the residuals
below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import altair as alt

from azeotrope.fitting.result import FitResult, GroupFit
from azeotrope.reporting.render import Chart
from azeotrope.reporting.theme import REFERENCE

_ROOM = 1.12
_SHORT = 1e6
"""Above this many, ticks read 2M and not 2,000,000."""

Row: TypeAlias = dict[str, float | str | None]


@dataclass(frozen=True)
class CurveNumbers:
    """What is drawn. `lines` rows: group, size, error, low, high; `points` rows: group, size, error, residual (log
    error).
    """

    axis: str
    unit: str
    lines: tuple[Row, ...]
    points: tuple[Row, ...]


def numbers(fitted: FitResult) -> CurveNumbers:
    """The figure's numbers. With two axes only the points at which the line holds the other axis are drawn."""
    axis = fitted.axes[-1]
    lines: list[Row] = []
    points: list[Row] = []
    for name, group in fitted.groups.items():
        lines += [
            {"group": name, "size": step.at, "error": step.value, "low": step.low, "high": step.high}
            for step in group.curve
        ]
        points += _points(name, group, axis)
    return CurveNumbers(axis, fitted.unit, tuple(lines), tuple(points))


def figure(drawn: CurveNumbers) -> Chart:
    """Curves above, residuals below, on one size axis."""
    size = _size(drawn)
    title = "loss" if drawn.unit == "loss" else "test error"
    error = alt.Scale(type="log", nice=False)
    colour = alt.Color("group:N", title=None, legend=alt.Legend(symbolOpacity=1))
    lines = alt.Chart(alt.InlineData(values=[*drawn.lines])).encode(x=size, color=colour)
    points = alt.Chart(alt.InlineData(values=[*drawn.points])).encode(x=size, color=colour)
    banded = alt.Chart(alt.InlineData(values=[row for row in drawn.lines if row["low"] is not None]))
    curves = alt.layer(
        banded.mark_area(opacity=0.18).encode(x=size, color=colour, y=alt.Y("low:Q", scale=error), y2="high:Q"),
        lines.mark_line().encode(y=alt.Y("error:Q", title=title, scale=error)),
        points.mark_circle(size=45, opacity=1).encode(y=alt.Y("error:Q", scale=error)),
    ).properties(title=f"{title} over {drawn.axis}", description="Averaged laws with 90 % band; dots are cells of runs")
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=REFERENCE).encode(y="zero:Q")
    residuals = points.mark_circle(size=45, opacity=1).encode(y=alt.Y("residual:Q", title="log residual"))
    return alt.vconcat(curves, alt.layer(zero, residuals).properties(height=110))


def _size(drawn: CurveNumbers) -> alt.X:
    """One log axis for both panels, with room for dots at its ends and labels at 1, 2 and 5 only."""
    sizes = [float(row["size"] or 0) for row in (*drawn.lines, *drawn.points)]
    low, high = min(sizes) / _ROOM, max(sizes) * _ROOM
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 5) if low <= step * 10.0**decade <= high]
    axis = alt.Axis(values=ticks, format="~s" if high > _SHORT else ",")
    return alt.X("size:Q", title=drawn.axis, axis=axis, scale=alt.Scale(type="log", domain=[low, high]))


def _points(name: str, group: GroupFit, axis: str) -> list[Row]:
    if group.checklist is None or group.average is None:
        return []
    held = group.average.held
    return [
        {"group": name, "size": point.sizes[axis], "error": point.error, "residual": point.residual}
        for point in group.checklist.points
        if all(point.sizes[other] == value for other, value in held.items()) and point.sizes[axis] > 0
    ]
