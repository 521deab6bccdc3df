"""Errors of exactly 0 or 1 as values that have a logarithm: (wrong + 1/2) / (images + 1).

A test set that shows no wrong answer still bounds the error: with 359 images it lies below 0.8 % with 95 %. Leaving
such a run out would keep the less lucky seeds, so it counts as half a wrong answer in one image more. All other errors
stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from azeotrope.errors import InputError
from azeotrope.tables.units import Unit

CONFIDENCE = 0.95
MOST_STEPS = 10_000
"""Errors on a finer grid than this are not steps of a test set, but rounding or simulation."""
_STEP = 1e-9


class NoUsableRun(InputError):  # noqa: N818 (an answer: these runs cannot be counted)
    """Every run had to be left out."""


def count_edges(tidy: pl.DataFrame, unit: Unit) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The table with errors of exactly 0 (or, of a share, 1) moved inside, and what the user must know of them.

    `tidy` has the columns group, error and test_images; where the latter is null, the step between the errors of the
    whole table stands for one image. Of a loss, 0 becomes half the smallest positive one. Raises NoUsableRun when
    there is neither a number of test images nor any other value.
    """
    edge = tidy["error"].is_in([0.0] if unit == "loss" else [0.0, 1.0])
    if not edge.any():
        return tidy, ()
    if unit == "loss":
        return _losses(tidy)
    images = tidy["test_images"]
    unknown = (edge & images.is_null()).any()
    steps = _steps(tidy["error"].to_numpy()) if unknown else None
    if unknown and steps is None:
        raise NoUsableRun(
            "How small an error of exactly 0 is follows from the number of test images",
            found="errors of exactly 0 or 1 only, and no test_images",
            allowed="a column test_images, or runs with other errors",
            next_step="add the column test_images",
        )
    counted = tidy.with_columns(_images=pl.col("test_images").fill_null(pl.lit(steps)))
    inside = (pl.col("error") * pl.col("_images") + 0.5) / (pl.col("_images") + 1)
    moved = counted.with_columns(error=pl.when(pl.Series(edge)).then(inside).otherwise(pl.col("error")))
    warnings = list(_said(counted.with_columns(_edge=edge)))
    if unknown:
        warnings.append(f"test_images is not given; errors move in steps of 1/{steps:,}, taken as one test image each")
    return moved.drop("_images"), tuple(warnings)


def upper_bound(images: float, level: float = CONFIDENCE) -> float:
    """The largest error that leaves a share 1 - `level` of test sets without a wrong answer (Clopper-Pearson)."""
    return float(1 - (1 - level) ** (1 / images))


def _losses(tidy: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    above = tidy["error"].filter(tidy["error"] > 0)
    if above.is_empty():
        raise NoUsableRun(
            "A law needs losses above zero",
            found="losses of exactly 0 only",
            allowed="a loss with more digits",
            next_step="write the loss with more digits, or name the error's column with --error",
        )
    half = float(above.min()) / 2  # type: ignore[arg-type]  # numbers
    zeros = int((tidy["error"] == 0).sum())
    counted = tidy.with_columns(error=pl.when(pl.col("error") == 0).then(half).otherwise(pl.col("error")))
    return counted, (f"{zeros} losses of exactly 0 count as {half:.2g}, half the smallest other one",)


def _steps(error: np.ndarray) -> int | None:
    """Test images that the errors' steps show: one over the smallest gap between them; None without a gap."""
    gaps = np.diff(np.unique(np.append(error, 0.0)))
    inside = gaps[(gaps > _STEP) & (gaps < 1)]
    return min(MOST_STEPS, max(1, round(1 / float(inside.min())))) if len(inside) else None


def _said(counted: pl.DataFrame) -> Iterator[str]:
    """A sentence for each group with runs at an edge."""
    for (name,), rows in counted.group_by("group", maintain_order=True):
        for value, what in ((0.0, "wrong"), (1.0, "right")):
            here = rows.filter((pl.col("error") == value) & pl.col("_edge"))
            if here.is_empty():
                continue
            images = float(here["_images"].min())  # type: ignore[arg-type]  # numbers
            if here.height == rows.height:
                bound = 100 * upper_bound(images)
                side = f"error seen in {images:,.0f} images: below" if value == 0 else ""
                side = side or f"answer was right in {images:,.0f} images: accuracy below"
                doubt = "" if value == 0 else "; if these are accuracies, name their column accuracy"
                yield f"{name}: no {side} {bound:.2g} % with 95 %{doubt}"
            else:
                one = here.height == 1
                runs, them = (
                    f"{here.height} of {rows.height} runs {'has' if one else 'have'}",
                    "counts" if one else "count",
                )
                share = 100 * (value * images + 0.5) / (images + 1)
                yield f"{name}: {runs} no {what} answer in {images:,.0f} images and {them} as {share:.2g} % wrong"
