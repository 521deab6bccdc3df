"""Draws error over size on log-log axes: each group's averaged law with its band and raw points, and the residuals
below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import altair as alt

from azeotrope.fitting.result import FitResult, GroupFit
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.drawing.scales import arm_colours, chart_of, log_size
from azeotrope.reporting.drawing.theme import REFERENCE
from azeotrope.reporting.words import axis_name

_ROOM = 1.12

Row: TypeAlias = dict[str, float | str | None]


@dataclass(frozen=True)
class CurveNumbers:
    """What is drawn. `lines` rows: group, size, error, low, high; `points` rows: group, size, error, residual (log
    error).
    """

    axis: str
    measure: str
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
    return CurveNumbers(
        axis, fitted.measure if fitted.unit == "loss" else f"test {fitted.measure}", tuple(lines), tuple(points)
    )


def figure(drawn: CurveNumbers, reference: str | None = None) -> Chart:
    """Curves above, residuals below, on one size axis; the group named `reference` is grey."""
    size = _size(drawn)
    error = alt.Scale(type="log", nice=False)
    groups = list(dict.fromkeys(str(row["group"]) for row in (*drawn.lines, *drawn.points)))
    scale = arm_colours(groups, reference or "")
    colour = alt.Color("group:N", title=None, scale=scale, legend=alt.Legend(symbolOpacity=1))
    lines = chart_of([*drawn.lines]).encode(x=size, color=colour)
    told = [{**row, "said": _said(row, drawn)} for row in drawn.points]
    points = chart_of(told).encode(x=size, color=colour, description=alt.Description("said:N"))
    banded = chart_of([row for row in drawn.lines if row["low"] is not None])
    curves = alt.layer(
        banded.mark_area(aria=False, opacity=0.18).encode(
            x=size, color=colour, y=alt.Y("low:Q", scale=error), y2=alt.Y2("high:Q")
        ),
        lines.mark_line(aria=False).encode(y=alt.Y("error:Q", title=drawn.measure, scale=error)),
        points.mark_circle(size=45, opacity=1).encode(y=alt.Y("error:Q", scale=error)),
    ).properties(
        title=f"{drawn.measure} over {axis_name(drawn.axis)}",
        description="Averaged laws with 90 % band; dots are cells of runs",
    )
    zero = chart_of([{"zero": 0}]).mark_rule(aria=False, color=REFERENCE).encode(y=alt.Y("zero:Q"))
    residuals = points.mark_circle(size=45, opacity=1).encode(y=alt.Y("residual:Q", title="log residual"))
    return alt.vconcat(curves, alt.layer(zero, residuals).properties(height=110))


def _size(drawn: CurveNumbers) -> alt.X:
    """One log axis for both panels, with room for dots at its ends."""
    sizes = [float(row["size"] or 0) for row in (*drawn.lines, *drawn.points)]
    return log_size("size", axis_name(drawn.axis), min(sizes) / _ROOM, max(sizes) * _ROOM)


def _points(name: str, group: GroupFit, axis: str) -> list[Row]:
    if group.checklist is None or group.average is None:
        return []
    held = group.average.held
    return [
        {"group": name, "size": point.sizes[axis], "error": point.error, "residual": point.residual}
        for point in group.checklist.points
        if all(point.sizes[other] == value for other, value in held.items()) and point.sizes[axis] > 0
    ]


def _said(row: Row, drawn: CurveNumbers) -> str:
    error, residual = float(row["error"] or 0), float(row["residual"] or 0)
    return f"{row['group']}, {row['size']:,.0f} {axis_name(drawn.axis)}: {error:.4g}, log residual {residual:+.3f}"
