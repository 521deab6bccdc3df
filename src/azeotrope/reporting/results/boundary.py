"""A boundary in Python: a row a size, the difference as its figure."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from azeotrope.boundaries.boundary import Boundary
from azeotrope.reporting.drawing import difference
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.results._shared import drawn, page
from azeotrope.reporting.texts import boundary_text

document = boundary_text.document


def frame(found: Boundary) -> pl.DataFrame:
    """A row a size that was asked about; differences and regrets as fractions, or in the unit of the loss."""
    rows = [
        {
            found.axis: win.at,
            "p_win": win.p,
            "difference": win.difference.value,
            "low": win.difference.low,
            "high": win.difference.high,
            "level": win.difference.level,
            "regret_challenger": regret.challenger,
            "regret_baseline": regret.baseline,
            "worth": worth.times.value,
            "worth_low": worth.times.low,
            "worth_high": worth.times.high,
        }
        for win, regret, worth in zip(found.p_win, found.regret, found.effective_data, strict=True)
    ]
    return pl.DataFrame(rows)


def line(found: Boundary) -> str:
    """The outcome in one sentence."""
    return boundary_text.headline(found)


def plot(found: Boundary, path: str | Path | None = None) -> Chart:
    """The difference over sizes."""
    return drawn(difference.figure(difference.numbers(found)), path)


def html(found: Boundary) -> str:
    """Text and figure."""
    return page(boundary_text.text(found), plot(found))
