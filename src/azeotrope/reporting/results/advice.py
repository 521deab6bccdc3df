"""Advice in Python: a row a contender, their predicted errors as its figure."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import polars as pl

from azeotrope.advice.answer import Advice
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.drawing.scales import chart_of
from azeotrope.reporting.drawing.theme import PALETTE
from azeotrope.reporting.results._shared import drawn, page
from azeotrope.reporting.texts import advice_text

document = advice_text.document


def frame(advice: Advice) -> pl.DataFrame:
    """A row a contender at the size that was asked about; errors as fractions, seconds of one run."""
    at, chosen = advice.recommendation.images, advice.recommendation.contender
    rows = [
        {
            "contender": row.contender,
            "student": row.student,
            "arm": row.arm,
            "train_images": at,
            "error": row.error.value if row.error else None,
            "low": row.error.low if row.error else None,
            "high": row.error.high if row.error else None,
            "level": row.error.level if row.error else None,
            "p_best": row.p_best,
            "seconds": row.cost.seconds.value if row.cost else None,
            "parameters": row.parameters,
            "sizes": len(row.sizes),
            "seeds": row.seeds,
            "recommended": row.contender == chosen,
            "excluded": row.excluded,
        }
        for row in advice.evidence.contenders
    ]
    return pl.from_dicts(rows, infer_schema_length=None, schema_overrides={"excluded": pl.String})


def line(advice: Advice) -> str:
    """The recommendation."""
    return advice.recommendation.sentence


def plot(advice: Advice, path: str | Path | None = None) -> Chart:
    """The predicted error of every contender with its interval."""
    rows = frame(advice).filter(pl.col("error").is_not_null())
    percent = rows.with_columns(pl.col("error", "low", "high") * 100)
    base = chart_of(percent.select("contender", "error", "low", "high").to_dicts())
    title = f"{advice.evidence.measure} at {advice.recommendation.images:,.0f} images, %, with 90 % interval"
    contender = alt.Y("contender:N", title=None, sort=alt.EncodingSortField("error"))
    bars = base.mark_rule(color=PALETTE[0], strokeWidth=3, opacity=0.5).encode(
        y=contender, x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False)), x2=alt.X2("high:Q")
    )
    dots = base.mark_circle(color=PALETTE[0], size=70, opacity=1).encode(y=contender, x=alt.X("error:Q"))
    return drawn(alt.layer(bars, dots).properties(title="What each contender would reach"), path)


def html(advice: Advice) -> str:
    """Text and figure; the text alone where no error could be predicted."""
    told = any(row.error for row in advice.evidence.contenders)
    return page(advice_text.text(advice), plot(advice) if told else None)
