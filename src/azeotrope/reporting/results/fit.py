"""A fit in Python: a row a prediction, the curves as its figure."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from azeotrope.fitting.result import FitResult
from azeotrope.reporting.drawing import curves
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.results._shared import drawn, page
from azeotrope.reporting.texts import fit_text
from azeotrope.reporting.words import axis_name, plural


def document(fitted: FitResult) -> dict[str, JsonValue]:
    """All fields, with the schema number."""
    content: dict[str, JsonValue] = json.loads(fitted.model_dump_json())
    return content


def frame(fitted: FitResult) -> pl.DataFrame:
    """A row a group and size predicted; a group that was refused has one row with its reason."""
    rows = [
        {
            "group": name,
            fitted.axes[-1]: step.at,
            fitted.measure: step.value,
            "low": step.low,
            "high": step.high,
            "level": fitted.level,
            "times_largest": step.reach,
            "refused": None,
        }
        for name, group in fitted.groups.items()
        for step in group.predictions
    ]
    refused = [{"group": name, "refused": group.refused} for name, group in fitted.groups.items() if group.refused]
    return pl.from_dicts([*rows, *refused], infer_schema_length=None, schema_overrides={"refused": pl.String})


def line(fitted: FitResult) -> str:
    """What was fitted, in one line."""
    refused = sum(bool(group.refused) for group in fitted.groups.values())
    said = f"{plural(len(fitted.groups) - refused, 'group')} over {' and '.join(map(axis_name, fitted.axes))}"
    return said + (f"; {refused} refused" if refused else "")


def plot(fitted: FitResult, path: str | Path | None = None) -> Chart:
    """The curves over sizes, with their residuals."""
    return drawn(curves.figure(curves.numbers(fitted)), path)


def html(fitted: FitResult) -> str:
    """Text and figure."""
    return page(fit_text.text(fitted), plot(fitted))
