"""Draws a diagnosis: who is taken for whom, calibration, error against coverage, residuals of a number.

Everything is computed in `diagnosis/`; an arm keeps the colour that it has in all figures.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from azeotrope.diagnosis.records import ArmDiagnosis, Diagnosis
from azeotrope.reporting.drawing.figures import Row
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.drawing.scales import arm_colours, chart_of
from azeotrope.reporting.drawing.theme import RULE

_CELL, _SMALLEST = 26, 15  # pixels of a cell of the heat map, with few classes and with many
_FEW = 15  # classes of which the cells show numbers
_SIDE = 260


def confusion(arm: ArmDiagnosis, names: Sequence[str]) -> Chart:
    """Heat map of one arm: a row a true class, a column an answer, coloured by the share of the row."""
    short = [name if len(name) <= 24 else f"{name[:21]}..." for name in names]
    labels = [f"{place + 1} {name}" for place, name in enumerate(short)]  # names may repeat when cut
    rows: list[Row] = [
        {"label": labels[a], "answer": labels[b], "share": cell / max(sum(line), 1e-9), "images": cell}
        for a, line in enumerate(arm.confusion)
        for b, cell in enumerate(line)
    ]
    side = (_CELL if len(labels) <= _FEW else _SMALLEST) * len(labels)
    base = chart_of(rows).encode(
        x=alt.X("answer:N", sort=labels, title="answer", axis=alt.Axis(labelAngle=-45)),
        y=alt.Y("label:N", sort=labels, title="true class"),
    )
    cells = base.mark_rect(stroke=RULE, strokeWidth=0.5).encode(
        color=alt.Color(
            "share:Q",
            title="share of the class",
            scale=alt.Scale(scheme="blues", domain=[0, 1]),
            legend=alt.Legend(format="%", type="symbol", symbolType="square", values=[0, 0.25, 0.5, 0.75, 1]),
        )
    )
    if len(labels) > _FEW:
        return alt.layer(cells).properties(width=side, height=side)
    numbers = base.mark_text(fontSize=10).encode(
        text=alt.condition("datum.images >= 0.05", alt.Text("images:Q", format=".2~g"), alt.value("")),
        color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#1B1F24")),
    )
    return alt.layer(cells, numbers).properties(width=side, height=side)


def calibration(diagnosis: Diagnosis, names: Sequence[str], reference: str) -> Chart:
    """How often answers come true, over how sure they are; the diagonal is a model that means what it says."""
    rows: list[Row] = [
        {"arm": arm.arm, "said": 100 * each.said, "true": 100 * each.came_true, "share": each.share}
        for arm in diagnosis.arms
        for each in arm.calibration
    ]
    diagonal = chart_of([{"said": 0, "true": 0}, {"said": 100, "true": 100}])
    base = chart_of(rows).encode(
        x=alt.X("said:Q", title="probability of the answer, %", scale=alt.Scale(domain=[0, 100])),
        y=alt.Y("true:Q", title="right, %", scale=alt.Scale(domain=[0, 100])),
        color=_colour(names, reference),
    )
    return alt.layer(
        diagonal.mark_line(strokeDash=[4, 4], color="#8C959F", strokeWidth=1).encode(
            x=alt.X("said:Q"), y=alt.Y("true:Q")
        ),
        base.mark_line(strokeWidth=1.5),
        base.mark_circle(opacity=0.85).encode(
            size=alt.Size("share:Q", legend=None, scale=alt.Scale(range=[20, 300], domain=[0, 1]))
        ),
    ).properties(width=_SIDE * 1.5, height=_SIDE)


def coverage(diagnosis: Diagnosis, names: Sequence[str], reference: str) -> Chart:
    """The error on what is left when the least sure answers are refused."""
    rows: list[Row] = [
        {
            "arm": arm.arm,
            "kept": 100 * each.kept,
            "error": 100 * each.error.value,
            "low": 100 * each.error.low,
            "high": 100 * each.error.high,
        }
        for arm in diagnosis.arms
        for each in arm.coverage
    ]
    base = chart_of(rows).encode(
        x=alt.X("kept:Q", title="images that are answered, %", scale=alt.Scale(domain=[50, 100])),
        color=_colour(names, reference),
    )
    return alt.layer(
        base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q", title="error on them, %"), y2=alt.Y2("high:Q")),
        base.mark_line(point=True).encode(y=alt.Y("error:Q")),
    ).properties(width=_SIDE * 1.5, height=_SIDE)


def residuals(diagnosis: Diagnosis, names: Sequence[str], reference: str, unit: str | None) -> Chart:
    """Answer − value on average, over the value: whether low values are told too high."""
    rows: list[Row] = [
        {
            "arm": arm.arm,
            "value": fifth.value,
            "bias": fifth.bias.value,
            "low": fifth.bias.low,
            "high": fifth.bias.high,
        }
        for arm in diagnosis.arms
        if arm.residuals
        for fifth in arm.residuals.fifths
    ]
    of = f", {unit}" if unit else ""
    base = chart_of(rows).encode(
        x=alt.X("value:Q", title=f"true value{of}", scale=alt.Scale(zero=False)), color=_colour(names, reference)
    )
    zero = chart_of([{"bias": 0}]).mark_rule(strokeDash=[4, 4]).encode(y=alt.Y("bias:Q"))
    return alt.layer(
        zero,
        base.mark_rule(strokeWidth=5, opacity=0.22).encode(
            y=alt.Y("low:Q", title=f"answer − value{of}"), y2=alt.Y2("high:Q")
        ),
        base.mark_line(point=True).encode(y=alt.Y("bias:Q")),
    ).properties(width=_SIDE * 1.5, height=_SIDE)


def _colour(names: Sequence[str], reference: str) -> alt.Color:
    return alt.Color(
        "arm:N", scale=arm_colours(names, reference), legend=alt.Legend(title=None, orient="top", columns=3)
    )
