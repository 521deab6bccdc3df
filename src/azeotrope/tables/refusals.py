"""What a table of runs may not be: of several tasks or measures, without a usable run, with counts that cannot be, or
with two results of one run.

Each check raises InputError with what was found; `frame.py` says when it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.errors import InputError
from azeotrope.tables.columns import AXES, RESIZE, SETTINGS, UPSTREAM_RESIZE
from azeotrope.tables.edges import NoUsableRun

_LEAST = {"train_images": 1, "pretrain_images": 0, "parameters": 1, "classes": 2, "test_images": 1}
"""The least that a count can be. With one class guessing is never wrong, and no law has room."""


def span(values: NDArray[np.float64]) -> str:
    """The least and the largest of these values, in words."""
    return f"{values.min():.4g} to {values.max():.4g}"


def refuse_no_accuracy(name: str, values: NDArray[np.float64]) -> None:
    """1 - accuracy must be a share."""
    if values.min(initial=0.0) < 0 or values.max(initial=0.0) > 1:
        raise InputError(
            "An accuracy lies between 0 and 1, or between 0 and 100 per cent",
            found=f"1 - accuracy from {span(values)} in column {name!r}",
            next_step="correct these rows, or say --error-unit percent or --error-unit fraction",
        )


def refuse_mixed(table: pl.DataFrame, name: str, what: str, next_step: str) -> None:
    """A column, where it is there, may have one value only."""
    values = table[name].drop_nulls().unique().sort().to_list() if name in table.columns else []
    if len(values) > 1:
        shown = ", ".join(map(str, values[:8])) + (" ..." if len(values) > 8 else "")
        raise InputError(f"These runs mix {what}", found=shown, allowed="one", next_step=next_step)


def refuse_mixed_resizes(raw: pl.DataFrame, by: Sequence[str]) -> None:
    """What is judged at one image size on one task differs in it by version alone, and so do pre-trainings."""
    moved = "or move the older runs to a folder of their own"
    for rows in _each(raw, "fingerprint", "image_size"):
        advice = f"keep one with --where {RESIZE}=once, {moved}"
        refuse_mixed(rows, RESIZE, "pictures resized once with pictures resized by way of stored frames", advice)
    if UPSTREAM_RESIZE in by:
        return
    for rows in _each(raw, "upstream", "image_size"):
        advice = f"add {UPSTREAM_RESIZE} to --by, {moved}"
        refuse_mixed(rows, UPSTREAM_RESIZE, "pre-trainings judged on pictures resized once and twice", advice)


def _each(raw: pl.DataFrame, *names: str) -> list[pl.DataFrame]:
    """The rows that share what these columns say, of those that there are."""
    there = [name for name in names if name in raw.columns]
    return [rows for _, rows in raw.group_by(there, maintain_order=True)] if there else [raw]


def refuse_empty(table: pl.DataFrame, left_out: Mapping[str, int]) -> None:
    """Some run must be left, or NoUsableRun says why each was left out."""
    if table.is_empty():
        raise NoUsableRun(
            "No usable run is left",
            found=counted(left_out),
            allowed="runs with a test error",
            next_step="make more runs, or look at the reasons in the failed records",
        )


def counted(left_out: Mapping[str, int]) -> str:
    """How many rows were left out for each reason."""
    return ", ".join(f"{count} x {reason}" for reason, count in left_out.items())


def refuse_bad_counts(tidy: pl.DataFrame) -> None:
    """Counts of images, classes and parameters have a least value."""
    for name, least in _LEAST.items():
        smallest = tidy[name].min()
        if isinstance(smallest, float) and smallest < least:
            raise InputError(
                f"{name} may not be below {least}",
                found=f"{smallest:g}",
                next_step="correct these rows" + (", or name another column with --x" if name in AXES else ""),
            )


def refuse_conflicts(tidy: pl.DataFrame) -> None:
    """One group, size and seed has one result. What tells the runs apart is named."""
    key = ["task", "group", *AXES, "seed"]
    told = [name for name in SETTINGS if name in tidy.columns]
    conflict = tidy.group_by(key).agg(pl.len(), pl.col("error").sort(), pl.col(told).unique().sort())
    conflict = conflict.filter(pl.col("len") > 1).sort(key)
    if conflict.is_empty():
        return
    row = conflict.row(0, named=True)
    size = ", ".join(f"{axis} {row[axis]:g}" for axis in AXES if row[axis] is not None)
    apart = [name for name in told if len(row[name]) > 1]
    differ = " and in ".join(f"{name} ({', '.join(row[name])})" for name in apart)
    raise InputError(
        "One group, size and seed may have one run only",
        found=f"{row['len']} runs of {row['group']!r} at {size}, seed {row['seed']:g}, with errors "
        + ", ".join(f"{value:g}" for value in row["error"])
        + (f"; they differ in {differ}" if differ else ""),
        allowed="one; what else differs (student, recipe) must be part of the group or be filtered",
        next_step=f"add {apart[0]} to --by, or keep one value, such as --where '{apart[0]}={row[apart[0]][0]}'"
        if apart
        else "add the column that differs to --by, or keep one value with --where",
    )
