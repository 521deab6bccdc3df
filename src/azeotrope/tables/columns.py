"""Which column of a table is what: the user's mapping of their names onto ours.

It renames and casts; which rows count is decided in `frame`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from azeotrope.errors import InputError, message_of
from azeotrope.lookup import nearest
from azeotrope.tables.recognise import accuracies, is_accuracy, own, own_name, plain
from azeotrope.tables.units import Unit

AXES = ("train_images", "pretrain_images", "parameters")
_SHORT = {
    "images": "train_images",
    "pretrain": "pretrain_images",
    "pretraining": "pretrain_images",
    "params": "parameters",
}
_ERRORS = ("test_error", "test_loss")
_GROUPS = ("arm", "strategy")
CORRECT = "correct_bits"
"""One bit a test image, as `RunRecord.correct` packs them. Only records have it."""
CLUSTERS = "test_clusters"
TEST_CLASSES = "test_class_numbers"
"""Which test images belong together, as `RunRecord.clusters` packs it. Only records have it."""
RESIZE = "judged_resize"
UPSTREAM_RESIZE = "upstream_resize"
"""`RunRecord.resize`, or `STORED`; of the pre-training too, where there is one. Only records have them."""
EVENED = ("class_weights", "sampling", "logit_adjustment")
"""What a recipe does about classes of unequal size."""
SETTINGS = ("student", "image_size", "teacher", "init", "upstream", "synthetic_images", "unlabelled_images", *EVENED)
"""Columns that may tell apart two runs of one group, size and seed."""
LINE = "line "
"""Before the number of a line of a table without ids, which then names its run."""
_NUMBERS = (*AXES, "seed", "test_images", "classes")


@dataclass(frozen=True)
class Columns:
    """Which column is what: the user's `--x`, `--error`, `--by`, `--where` and `--error-unit`.

    `x` maps an axis (or its short name: images, pretrain, params) to a column; `by` names the columns whose values make
    the groups (arms); `where` keeps the rows in which a column has a value.
    """

    x: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    by: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    error_unit: Unit | Literal["auto"] = "auto"


def keep_where(raw: pl.DataFrame, where: Mapping[str, str]) -> pl.DataFrame:
    """The rows in which every named column has its value. Raises InputError for an unknown column or no such row."""
    for name, value in where.items():
        column = raw[_present(raw, name, "--where")]
        kept = raw.filter(_equals(column, value))
        if kept.is_empty():
            raise InputError(
                f"No run has {name} = {value}",
                found=", ".join(map(str, column.unique().sort().to_list()[:20])),
                next_step="take one of these values with --where",
            )
        raw = kept
    return raw


def _equals(column: pl.Series, value: str) -> pl.Series:
    """Numbers are compared as numbers (1 is 1.0), all else as text; a word equals no number."""
    dtype = pl.Float64 if column.dtype.is_numeric() else pl.String
    asked = pl.Series([value]).cast(dtype, strict=False)
    return (column.cast(dtype) == asked).fill_null(value=False)


def name_columns(raw: pl.DataFrame, columns: Columns) -> tuple[pl.DataFrame, str]:
    """The columns we know under their own names, numbers as numbers; and the name that the error had."""
    error = _choose(raw, columns.error)
    axes = {_SHORT.get(axis, axis): _present(raw, name, "--x") for axis, name in columns.x.items()}
    for axis in axes.keys() - set(AXES):
        raise InputError(
            f"There is no axis named {axis!r}",
            allowed=", ".join([*AXES, *_SHORT]),
            next_step="write --x images=YOUR_COLUMN",
        )
    numbers = {name: axes.get(name, name) for name in _NUMBERS} | {"error": error}
    task = next((name for name in ("fingerprint", "task") if name in raw.columns), None)
    tidy = raw.select(
        (pl.col(task).cast(pl.String) if task else pl.lit("")).fill_null("").alias("task"),
        _group(raw, columns.by).alias("group"),
        *(_number_column(raw, source).alias(name) for name, source in numbers.items() if name not in ("error", "seed")),
        _error_column(raw, error, columns.error_unit).alias("error"),
        _seed_column(raw, numbers["seed"]).alias("seed"),
        *(
            (pl.col(name).cast(pl.String) if name in raw.columns else pl.lit(None, pl.String)).alias(name)
            for name in ("run_id", CORRECT, CLUSTERS, TEST_CLASSES)
        ),
        *(pl.col(name).cast(pl.String).fill_null("none") for name in SETTINGS if name in raw.columns),
    )
    if all(tidy[axis].null_count() == tidy.height for axis in AXES):
        raise InputError(
            "The runs need at least one size: images, pretraining images or parameters",
            found=f"columns {', '.join(own(raw.columns))}",
            allowed=", ".join(AXES),
            next_step="say which column it is: --x images=YOUR_COLUMN",
        )
    return tidy, own_name(raw.columns, error)


def _error_column(raw: pl.DataFrame, name: str, unit: Unit | Literal["auto"]) -> pl.Expr:
    """The errors; of a column of accuracies 1 less, as a fraction whatever their unit."""
    column = _number_column(raw, name)
    if not is_accuracy(name):
        return column
    largest = raw.select(column.fill_nan(None).max()).item() or 0.0
    per_cent = unit == "percent" or (unit == "auto" and largest > 1)
    return (100 - column) / 100 if per_cent else 1 - column


def _seed_column(raw: pl.DataFrame, name: str) -> pl.Expr:
    """Seeds as numbers; texts are told apart and numbered in their order. A column such as `run` that never repeats a
    value numbers the rows and pairs nothing.
    """
    named_otherwise = plain(own_name(raw.columns, name)) != "seed"
    if name in raw.columns and named_otherwise and raw.height > 1 and raw[name].n_unique() == raw.height:
        return pl.lit(None, pl.Float64)
    if name in raw.columns and raw.schema[name] == pl.String:
        numbered = raw[name].cast(pl.Float64, strict=False)
        if numbered.null_count() > raw[name].null_count():
            return pl.col(name).rank("dense").cast(pl.Float64) - 1
    return _number_column(raw, name)


def _group(raw: pl.DataFrame, by: tuple[str, ...]) -> pl.Expr:
    names = [_present(raw, name, "--by") for name in by] or [name for name in _GROUPS if name in raw.columns][:1]
    return (
        pl.concat_str([pl.col(name).cast(pl.String).fill_null("-") for name in names], separator=",")
        if names
        else pl.lit("all")
    )


def _number_column(raw: pl.DataFrame, name: str) -> pl.Expr:
    if name not in raw.columns:
        return pl.lit(None, pl.Float64)
    try:
        raw[name].cast(pl.Float64)
    except pl.exceptions.InvalidOperationError as error:
        raise InputError(
            f"Column {name!r} must hold numbers",
            found=message_of(error),
            next_step="correct these rows, or name another column with --x or --error",
        ) from error
    return pl.col(name).cast(pl.Float64)


def _choose(raw: pl.DataFrame, said: str | None) -> str:
    """The column of errors: the one named, else one that says error, accuracy or loss, in this order."""
    if said is not None:
        return _present(raw, said, "--error")
    mine = own(raw.columns)
    found = [name for name in _ERRORS[:1] if name in raw.columns] or accuracies(mine)
    found += [name for name in _ERRORS[1:] if name in raw.columns]
    if not found:
        raise InputError(
            "No column here says error, accuracy or loss",
            found=f"columns {', '.join(mine)}",
            next_step="name the column with --error",
        )
    return found[0]


def _present(raw: pl.DataFrame, name: str, flag: str) -> str:
    """The column of that name, whatever its case. Raises InputError that names the person's own columns."""
    if name in raw.columns:
        return name
    mine = own(raw.columns)
    alike = [column for column in mine if plain(column) == plain(name)]
    if len(alike) == 1:
        return alike[0]
    raise InputError(
        f"There is no column named {name!r}",
        found=", ".join(mine),
        allowed=f"nearest: {', '.join(nearest(name, mine)) or 'none'}",
        next_step=f"name the column with {flag}",
    )
