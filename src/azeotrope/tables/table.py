"""Runs from wherever they are (a store, a CSV, a Parquet file, memory) as one raw table, a row a run.

It flattens and nothing more: no row is left out, no unit is judged. `frame` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from azeotrope.errors import InputError
from azeotrope.recipe import TOP5, Recipe
from azeotrope.record.folds import pooled
from azeotrope.record.kinds import words_of
from azeotrope.record.resizes import STORED
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.record.teachers import told_apart
from azeotrope.spec import digest
from azeotrope.tables.columns import CLUSTERS, CORRECT, EVENED, RESIZE, TEST_CLASSES, UPSTREAM_RESIZE
from azeotrope.tables.reading import SUFFIXES, read_file
from azeotrope.tables.recognise import recognised

_SCHEMA: dict[str, type[pl.DataType]] = {
    "run_id": pl.String,
    "state": pl.String,
    "schema": pl.Int64,
    "task": pl.String,
    "fingerprint": pl.String,
    "classes": pl.Int64,
    "arm": pl.String,
    "strategy": pl.String,
    "init": pl.String,
    "student": pl.String,
    "parameters": pl.Int64,
    "image_size": pl.Int64,
    "teacher": pl.String,
    "teacher_head_error": pl.Float64,
    "train_images": pl.Int64,
    "pretrain_images": pl.Int64,
    "synthetic_images": pl.Int64,
    "unlabelled_images": pl.Int64,
    "upstream": pl.String,
    "seed": pl.Int64,
    "val_error": pl.Float64,
    "test_error": pl.Float64,
    "test_nll": pl.Float64,
    "test_ece": pl.Float64,
    "test_images": pl.Int64,
    "kind": pl.String,
    "judged_by": pl.String,
    RESIZE: pl.String,
    UPSTREAM_RESIZE: pl.String,
    "class_weights": pl.String,
    "sampling": pl.String,
    "logit_adjustment": pl.Float64,
    CORRECT: pl.String,
    CLUSTERS: pl.String,
    TEST_CLASSES: pl.String,
}

_ELSEWHERE = (
    "schema",
    "task",
    "fingerprint",
    "classes",
    "kind",
    "student",
    "parameters",
    "image_size",
    "teacher",
    "teacher_head_error",
    RESIZE,
    UPSTREAM_RESIZE,
    *EVENED,
    CORRECT,
    CLUSTERS,
    TEST_CLASSES,
)
_SAME_NAME = tuple(name for name in _SCHEMA if name not in _ELSEWHERE)


def read_table(source: str | Path | pl.DataFrame | Sequence[RunRecord]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The raw table of `source`, and what could not be read (one line a file).

    Raises InputError when the source does not exist, is no table, or holds no run.
    """
    unreadable: tuple[str, ...] = ()
    if isinstance(source, pl.DataFrame):
        table = recognised(source)
    elif isinstance(source, str | Path):
        if str(source).lower().endswith(SUFFIXES):
            table = recognised(read_file(str(source)))
        else:
            _refuse_file(str(source))
            store = RunStore(str(source))
            table = flatten(list(store))
            unreadable = tuple(f"{problem.path}: {problem.reason}" for problem in store.problems)
    else:
        table = flatten(source)
    if table.is_empty():
        raise InputError(
            f"There are no runs in {source if isinstance(source, str | Path) else 'this table'}",
            found=f"{len(unreadable)} unreadable records" if unreadable else "nothing to read",
            allowed="a folder or URL with runs/<run_id>.json, a .csv, .tsv or .parquet file with a row a run",
            next_step="check the path, or make runs with `azeotrope sweep` or `azeotrope compare`",
        )
    return table, unreadable


def _refuse_file(path: str) -> None:
    """A file of another format is neither a table that can be read nor a folder of runs."""
    if Path(path).is_file():
        raise InputError(
            "A table of runs is a text file with a header, or Parquet",
            found=path,
            allowed=", ".join(SUFFIXES),
            next_step="export it as CSV (a spreadsheet: Save as, CSV), or give it that ending",
        )


def flatten(records: Sequence[RunRecord]) -> pl.DataFrame:
    """One row a record, with the column names that a CSV would use; the records of all folds of a run are one."""
    return pl.DataFrame([_row(record) for record in told_apart(pooled(records))], schema=_SCHEMA)


def _row(record: RunRecord) -> dict[str, str | int | float | None]:
    return {name: getattr(record, name) for name in _SAME_NAME} | {
        "schema": record.schema_version,
        "task": record.task.name,
        "fingerprint": record.task.fingerprint,
        "kind": record.measure,
        RESIZE: record.resize or STORED,
        UPSTREAM_RESIZE: (record.upstream_resize or STORED) if record.upstream else None,
        "classes": _classes(record),
        "student": record.student.name,
        "parameters": record.student.parameters,
        "image_size": record.student.image_size,
        "teacher": record.teacher.called if record.teacher else None,
        "teacher_head_error": record.teacher.head_error if record.teacher else None,
        CORRECT: record.correct,
        CLUSTERS: record.clusters,
        TEST_CLASSES: record.test_classes,
        **_evened(record),
    }


def _evened(record: RunRecord) -> dict[str, str | float]:
    """What its recipe does about classes of unequal size: weights of a file as `by class (HASH)`."""
    found: dict[str, Any] = {name: record.recipe.get(name, Recipe.model_fields[name].default) for name in EVENED}
    if isinstance(found["class_weights"], dict):
        found["class_weights"] = f"by class ({digest(found['class_weights'])})"
    return found


def _classes(record: RunRecord) -> int | None:
    """Number of classes, from which chance follows where the error is a share of images."""
    by_chance = words_of(record.measure).sampled and record.measure != TOP5
    return len(record.task.classes) or None if by_chance else None
