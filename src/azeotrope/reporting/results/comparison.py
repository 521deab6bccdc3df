"""A comparison in Python: a row an arm, their errors as its figure."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from pydantic import JsonValue

from azeotrope.reporting import verdict_words, words
from azeotrope.reporting.drawing import figures
from azeotrope.reporting.drawing.render import Chart
from azeotrope.reporting.numbers import ArmSummary, Comparison
from azeotrope.reporting.page.files import as_json
from azeotrope.reporting.results._shared import drawn, page
from azeotrope.reporting.texts import table

_TYPES = {"test_error": pl.Float64, "low": pl.Float64, "high": pl.Float64, "val_error": pl.Float64, "flops": pl.Float64}


def document(comparison: Comparison) -> dict[str, JsonValue]:
    """What `compare.json` holds."""
    return as_json([comparison])


def frame(comparison: Comparison) -> pl.DataFrame:
    """A row an arm, in the order of the table; errors as fractions with their 95 % interval, seconds of one run.

    `difference` is the arm's test error less that of `reference` (negative: the arm is better), `verdict` on it.
    """
    rows = [_row(arm, comparison) for arm in comparison.arms]
    return pl.from_dicts(rows, infer_schema_length=None, schema_overrides=_TYPES)


def line(comparison: Comparison) -> str:
    """The verdict to read first."""
    return verdict_words.headline(comparison)


def plot(comparison: Comparison, path: str | Path | None = None) -> Chart:
    """The test error of every arm: seeds, mean and interval."""
    return drawn(figures.errors(comparison), path)


def html(comparison: Comparison) -> str:
    """Text and figure; the text alone where no arm finished."""
    finished = any(arm.test_error for arm in comparison.arms)
    return page(table.table(comparison), plot(comparison) if finished else None, table.WIDTH)


def _row(arm: ArmSummary, comparison: Comparison) -> dict[str, object]:
    error, verdict = arm.test_error, comparison.verdict(arm.name, comparison.reference)
    difference = verdict.difference if verdict else None
    return {
        "arm": arm.name,
        "strategy": arm.strategy,
        "init": arm.init,
        "train_images": comparison.train_images,
        "test_error": error.value if error else None,
        "low": error.low if error else None,
        "high": error.high if error else None,
        "val_error": arm.val_error,
        "seeds": len(arm.seeds),
        "seconds": words.total(arm.seconds),
        "seconds_amortised": words.total(arm.seconds_amortised),
        "flops": arm.flops,
        "reference": comparison.reference,
        "difference": difference.value if difference else None,
        "difference_low": difference.low if difference else None,
        "difference_high": difference.high if difference else None,
        "verdict": verdict.verdict if verdict else None,
        "winner": arm.name == comparison.winner,
    }
