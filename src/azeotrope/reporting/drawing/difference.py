"""Draws the difference of two arms over size: its band, the crossings, and the runs' own paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import altair as alt

from azeotrope.boundaries.boundary import Boundary, Crossing
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.drawing.scales import chart_of, log_size
from azeotrope.reporting.drawing.theme import PALETTE, REFERENCE
from azeotrope.reporting.words import axis_name

Row: TypeAlias = dict[str, float | None]


@dataclass(frozen=True)
class DifferenceNumbers:
    """What is drawn. Differences are baseline minus challenger in `unit` (points are error x 100): above zero the
    challenger wins.

    `band` rows: size, difference, low, high; `runs` rows: size, difference, and low and high where there are repeats.
    """

    axis: str
    unit: str
    challenger: str
    baseline: str
    smallest: float
    largest: float
    band: tuple[Row, ...]
    runs: tuple[Row, ...]
    crossings: tuple[Crossing, ...]


def numbers(found: Boundary) -> DifferenceNumbers:
    """The figure's numbers from a boundary."""
    curve, scale = found.curve, points(found)
    band: list[Row] = [
        {"size": size, "difference": scale * middle, "low": scale * low, "high": scale * high}
        for size, middle, low, high in zip(curve.sizes, curve.difference, curve.low, curve.high, strict=True)
    ]
    runs: list[Row] = [
        {
            "size": check.size,
            "difference": scale * check.difference,
            "low": scale * check.interval.low if check.interval else None,
            "high": scale * check.interval.high if check.interval else None,
        }
        for check in found.form_free
    ]
    names = (found.axis, unit_name(found), found.challenger, found.baseline, found.smallest, found.largest)
    return DifferenceNumbers(*names, tuple(band), tuple(runs), found.crossings)


def points(found: Boundary) -> float:
    """What differences are multiplied by to be shown: errors as points, losses as they are."""
    return 1.0 if found.unit == "loss" else 100.0


def unit_name(found: Boundary) -> str:
    """The word for the unit that differences are shown in."""
    return "loss" if found.unit == "loss" else "points"


def figure(drawn: DifferenceNumbers) -> Chart:
    """The chart; sizes beyond the runs are shaded, for there only the laws speak."""
    base = chart_of([*drawn.band]).encode(x=_size(drawn))
    told = [{**row, "said": _said(row, drawn)} for row in drawn.runs]
    dots = chart_of(told).encode(x=_size(drawn), description=alt.Description("said:N"))
    repeated = chart_of([row for row in drawn.runs if row["low"] is not None])
    return alt.layer(
        _beyond(drawn),
        chart_of([{"zero": 0}]).mark_rule(aria=False, color=REFERENCE).encode(y=alt.Y("zero:Q")),
        base.mark_area(aria=False, opacity=0.2, color=PALETTE[0], clip=True).encode(
            y=_difference(drawn, "low"), y2=alt.Y2("high:Q")
        ),
        base.mark_line(aria=False, color=PALETTE[0], clip=True).encode(y=_difference(drawn, "difference")),
        repeated.mark_rule(aria=False, color=REFERENCE).encode(
            x=_size(drawn), y=_difference(drawn, "low"), y2=alt.Y2("high:Q")
        ),
        dots.mark_circle(color=REFERENCE, size=50, opacity=1).encode(y=_difference(drawn, "difference")),
        *(_crossing(crossing, drawn) for crossing in drawn.crossings),
    ).properties(
        title=f"{drawn.challenger} against {drawn.baseline}",
        description="Difference of test error over size, 90 % band; dots are paired runs, the bar is the crossing",
    )


def _size(drawn: DifferenceNumbers, field: str = "size") -> alt.X:
    return log_size(field, axis_name(drawn.axis), float(drawn.band[0]["size"] or 0), float(drawn.band[-1]["size"] or 0))


def _difference(drawn: DifferenceNumbers, field: str) -> alt.Y:
    """The axis is cut to differences within the data: beyond, the band may be wider than all that was measured."""
    inside = [row for row in drawn.band if drawn.smallest <= (row["size"] or 0) <= drawn.largest] + [*drawn.runs]
    ends = [value for row in inside for key in ("low", "high", "difference") if (value := row[key]) is not None]
    room = 0.15 * (max(ends) - min(ends)) or 1.0
    scale = alt.Scale(domain=[min(0.0, *ends) - room, max(0.0, *ends) + room])
    return alt.Y(f"{field}:Q", title=f"{drawn.unit} by which {drawn.challenger} is better", scale=scale)


def _beyond(drawn: DifferenceNumbers) -> alt.Chart:
    ends = [
        {"from": drawn.band[0]["size"], "to": drawn.smallest},
        {"from": drawn.largest, "to": drawn.band[-1]["size"]},
    ]
    shade: alt.Chart = chart_of(ends).mark_rect(aria=False, color=REFERENCE, opacity=0.08)
    return shade.encode(x=_size(drawn, "from"), x2=alt.X2("to:Q"))


def _crossing(crossing: Crossing, drawn: DifferenceNumbers) -> Chart:
    """A bar over the interval, open ends reaching to the figure's edge, and a diamond at the value if there is one."""
    low = crossing.low or drawn.band[0]["size"]
    high = crossing.high or drawn.band[-1]["size"]
    row = chart_of([{"low": low, "high": high, "value": crossing.value, "zero": 0}])
    bar = row.mark_rule(aria=False, color=PALETTE[1], strokeWidth=7, opacity=0.6).encode(
        x=_size(drawn, "low"), x2=alt.X2("high:Q"), y=alt.Y("zero:Q")
    )
    diamond = row.mark_point(aria=False, shape="diamond", color=PALETTE[1], filled=True, size=130, opacity=1)
    return (
        alt.layer(bar, diamond.encode(x=_size(drawn, "value"), y=alt.Y("zero:Q"))) if crossing.value else alt.layer(bar)
    )


def _said(row: Row, drawn: DifferenceNumbers) -> str:
    """Like "1,000 training images: 1.20 points (0.40 to 2.00)"."""
    low, high = row["low"], row["high"]
    ends = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    return f"{row['size']:,.0f} {axis_name(drawn.axis)}: {row['difference']:.2f} {drawn.unit}{ends}"
