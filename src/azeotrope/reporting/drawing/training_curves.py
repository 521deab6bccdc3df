"""How the runs of a comparison trained: the loss of each arm by epoch, and the validation error where it was looked at.

Numbers first, then small panels, one an arm. Losses of different arms are different quantities, so that each panel has
a scale of its own; validation errors share theirs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import altair as alt
import numpy as np

from azeotrope.record.storage.training_curve import Curve, Epoch
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.drawing.scales import arm_colours, chart_of
from azeotrope.reporting.numbers import ArmSummary, Comparison
from azeotrope.reporting.words import error_word, plural

MOST_POINTS = 40  # epochs of a curve that are drawn; of more, as many evenly spread, the last among them
_COLUMNS, _WIDTH, _HEIGHT, _TICKS = 4, 150, 100, 4

Row: TypeAlias = dict[str, str | float | int]


@dataclass(frozen=True)
class TrainingNumbers:
    """What is drawn: a row an arm and epoch, counted from 1, with the mean of the seeds and the lowest and highest.

    `losses` are of what an arm minimised, `errors` of validation in per cent; the last row of an arm says its curve.
    """

    losses: tuple[Row, ...]
    errors: tuple[Row, ...]
    error: str


def numbers(comparison: Comparison, curves: Mapping[str, Curve]) -> TrainingNumbers | None:
    """The means over the seeds of each arm that has curves; None where none has two epochs."""
    losses, errors, error = list[Row](), list[Row](), error_word(comparison)
    for arm in comparison.arms:
        own = [curve for run_id in arm.run_ids if (curve := curves.get(run_id))]
        losses += _rows(arm, "training loss {:.3g}", [{each.epoch: each.loss for each in curve} for curve in own])
        errors += _rows(arm, f"validation {error} {{:.3g}} %", [_errors(curve) for curve in own])
    return TrainingNumbers(tuple(losses), tuple(errors), error) if losses else None


def figure(drawn: TrainingNumbers, names: Sequence[str], reference: str) -> Chart:
    """A panel an arm: its loss above; its validation error below, where arms looked at it after several epochs."""
    colour = alt.Color("arm:N", scale=arm_colours(names, reference), legend=None)
    losses: alt.FacetChart = _panels(drawn.losses, names, colour, "training loss").resolve_scale(y="independent")
    if not drawn.errors:
        return losses
    errors = _panels(drawn.errors, names, colour, f"validation {drawn.error}, %")
    both: alt.VConcatChart = alt.vconcat(losses, errors).resolve_scale(color="shared")
    return both


def _errors(curve: Sequence[Epoch]) -> dict[int, float]:
    return {each.epoch: 100 * each.val_error for each in curve if each.val_error is not None}


def _rows(arm: ArmSummary, told: str, series: Sequence[Mapping[int, float]]) -> list[Row]:
    """One a drawn epoch, over the runs that have it; `told` is how a mean is told."""
    every = sorted({epoch for values in series for epoch in values})
    if len(every) < 2:
        return []
    places = np.unique(np.linspace(0, len(every) - 1, min(MOST_POINTS, len(every))).round().astype(int))
    rows: list[Row] = []
    for epoch in (every[place] for place in places):
        values = [each[epoch] for each in series if epoch in each]
        mean = float(np.mean(values))
        rows.append({"arm": arm.name, "epoch": epoch + 1, "mean": mean, "low": min(values), "high": max(values)})
    first, last = rows[0], rows[-1]
    ends = [f"{told.format(row['mean'])} after epoch {row['epoch']}" for row in (first, last)]
    last["said"] = f"{arm.name}: {', '.join(ends)}, mean of {plural(len(series), 'run')}"
    return rows


def _panels(rows: Sequence[Row], names: Sequence[str], colour: alt.Color, title: str) -> alt.FacetChart:
    last = max(int(row["epoch"]) for row in rows)
    ticks = list(range(1, last + 1, max(1, math.ceil((last - 1) / _TICKS))))
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(values=ticks, format="d"))
    base = chart_of(rows).encode(x=x, color=colour)
    y = alt.Y("mean:Q", title=None, axis=alt.Axis(tickCount=3), scale=alt.Scale(zero=False))
    ends = base.transform_filter("isValid(datum.said)").encode(description=alt.Description("said:N"), y=y)
    panel = alt.layer(
        base.mark_area(aria=False, opacity=0.18).encode(y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q")),
        base.mark_line(aria=False, strokeWidth=1.6).encode(y=y),
        ends.mark_circle(size=36, opacity=1),
    ).properties(width=_WIDTH, height=_HEIGHT, description=f"{title} by epoch, a panel an arm")
    return panel.facet(
        facet=alt.Facet("arm:N", title=None, sort=list(names), header=alt.Header(labelLimit=_WIDTH)),
        columns=_COLUMNS,
        title=title,
    )
