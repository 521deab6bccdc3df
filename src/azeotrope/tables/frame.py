"""Runs as one tidy table of numbers, which the laws, the fits and the boundary read.

It decides which rows count and says which do not and why; it computes nothing from them, and it invents nothing: what
is not given stays null. Columns are named in `columns`, units judged in `units`, enough sizes and seeds in `checks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.errors import InputError
from azeotrope.lookup import nearest
from azeotrope.record.kinds import WORDS, is_measure, words_of
from azeotrope.record.run import RunRecord
from azeotrope.tables.columns import (
    AXES,
    CLUSTERS,
    CORRECT,
    LINE,
    TEST_CLASSES,
    Columns,
    keep_where,
    name_columns,
)
from azeotrope.tables.edges import count_edges
from azeotrope.tables.recognise import is_accuracy
from azeotrope.tables.recognise import notes as column_notes
from azeotrope.tables.refusals import (
    counted,
    refuse_bad_counts,
    refuse_conflicts,
    refuse_empty,
    refuse_mixed,
    refuse_mixed_resizes,
    refuse_no_accuracy,
    span,
)
from azeotrope.tables.table import read_table
from azeotrope.tables.units import Unit, describe_unit, recognise_unit

LOG_LOSSES = {"test_nll": "log-loss"}  # columns of records that are no share of anything, and their names


@dataclass(frozen=True)
class RunFrame:
    """Numeric runs, one a row, with what was left out and what the user should know.

    `table` columns: task, group, train_images, pretrain_images, parameters, error, seed, replicate, cluster,
    test_images, classes, run_id, correct_bits, test_clusters. `error` is a fraction in (0, 1), or a positive loss when
    `unit` is "loss"; `test_images` is null where the error is no mean over images; `correct_bits` and `test_clusters`
    are `correct` and `clusters` of `RunRecord`, and null in tables. Rows with equal `replicate` share task and seed;
    rows with equal `cluster` share task and all axes, across groups. `paired` says that seeds are known. `measure`
    names what `error` is.
    """

    table: pl.DataFrame
    unit: Unit
    paired: bool
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)
    measure: str = "error"

    @property
    def bounded(self) -> bool:
        """Errors are bounded by 1; losses are not."""
        return self.unit != "loss"

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups (arms), sorted."""
        return tuple(sorted(self.table["group"].unique()))

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that every run has and along which runs differ."""
        return tuple(a for a in AXES if self.table[a].null_count() == 0 and self.table[a].n_unique() > 1)

    @property
    def chance_error(self) -> float | None:
        """Error of guessing, 1 - 1/classes; None for a loss, or when the runs do not name one number of classes."""
        classes = self.table["classes"].unique().to_list()
        return 1 - 1 / classes[0] if self.bounded and len(classes) == 1 and classes[0] else None

    def only(self, group: str) -> RunFrame:
        """The runs of one group. Raises InputError with the nearest names when there is no such group."""
        if group not in self.groups:
            raise InputError(
                f"There are no runs of a group named {group!r}",
                found=", ".join(self.groups) + (f"; left out: {counted(self.excluded)}" if self.excluded else ""),
                allowed=f"nearest: {', '.join(nearest(group, self.groups)) or 'none'}",
                next_step="take one of these names, or choose the grouping column with --by",
            )
        return replace(self, table=self.table.filter(pl.col("group") == group))


def read_runs(source: str | Path | pl.DataFrame | Sequence[RunRecord], columns: Columns | None = None) -> RunFrame:
    """The runs of a store (folder or URL), a CSV, a Parquet file, a polars table or a list of records, made tidy.

    Raises InputError for a column that is not there, values that cannot be (negative, above 100 per cent), mixed tasks,
    schemas or measures, and conflicting duplicates; NoUsableRun when no usable run is left.
    """
    columns = columns or Columns()
    raw, unreadable = read_table(source)
    left_out: dict[str, int] = {"unreadable record": len(unreadable)} if unreadable else {}
    raw = keep_where(raw, columns.where)
    raw = _drop(raw, pl.col("state").fill_null("done") != "done", "failed", left_out) if "state" in raw.columns else raw
    raw = _drop(raw, ~pl.struct(_given(raw)).is_first_distinct(), "duplicated row", left_out)
    refuse_mixed(raw, "schema", "schemas of records", "make the runs again with one version of azeotrope")
    refuse_mixed(raw, "judged_by", "measures (--metric)", "keep one with --where judged_by=MEASURE")
    refuse_mixed_resizes(raw, columns.by)
    tidy, error_name = name_columns(raw, columns)
    tidy = tidy.with_columns(sampled=_sampled(raw))
    tidy = _drop(tidy, ~pl.col("error").is_finite().fill_null(value=False), _lacks(error_name), left_out)
    endless = ~pl.col(AXES).is_finite().fill_null(value=True)
    tidy = _drop(tidy, pl.any_horizontal(endless), "size is NaN or infinite", left_out)
    refuse_empty(tidy, left_out)
    unit, note = _unit(error_name, tidy["error"].to_numpy(), columns)
    if unit == "percent":
        tidy = tidy.with_columns(pl.col("error") / 100)
    refuse_bad_counts(tidy)
    for _, rows in tidy.group_by("group", maintain_order=True):
        refuse_mixed(rows, "task", "tasks", "keep one with --where task=NAME, or add task to --by")
    tidy, untested = _test_images(tidy, unit)
    tidy, edges = count_edges(tidy, unit)
    sampled = pl.col("sampled") if unit != "loss" else pl.lit(value=False)  # a loss: its spread is not kept
    tidy = tidy.with_columns(test_images=pl.when(sampled).then("test_images"))
    tidy, paired = _number(tidy)
    warnings = (*_warnings(left_out, paired=paired), *edges, *untested)
    measure = _measure(raw, unit, error_name)
    meanings = (*column_notes(raw.columns), *(_meanings(raw) if unit != "loss" else _of_loss(error_name)))
    return RunFrame(tidy, unit, paired, (note, *meanings), warnings, left_out, measure)


def _unit(error_name: str, values: NDArray[np.float64], columns: Columns) -> tuple[Unit, str]:
    """The unit of this column, and what is said of how it was read."""
    if is_accuracy(error_name):
        refuse_no_accuracy(error_name, values)
        return "fraction", f"column {error_name!r} is read as accuracy: the error is 1 - accuracy, {span(values)}"
    unit = recognise_unit(error_name, values, columns.error_unit)
    return unit, describe_unit(error_name, unit, values)


def _given(raw: pl.DataFrame) -> list[str]:
    """The columns that came with the runs: not numbers of lines that stand in for their ids."""
    numbered = raw.schema.get("run_id") == pl.String and bool(raw["run_id"].str.starts_with(LINE).all())
    return [name for name in raw.columns if not (numbered and name == "run_id")]


def _drop(table: pl.DataFrame, these: pl.Expr | pl.Series, reason: str, left_out: dict[str, int]) -> pl.DataFrame:
    """The table without `these` rows, counted under `reason`."""
    kept = table.filter(~these)
    if kept.height < table.height:
        left_out[reason] = table.height - kept.height
    return kept


def _lacks(error_name: str) -> str:
    """Why a run without this column's value is left out; records made before it was stored lack the log-loss."""
    return f"no {error_name}" if error_name in LOG_LOSSES else "no test error"


def _number(tidy: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Sorted, with replicate and cluster numbers; and whether seeds are known, so that groups can be paired."""
    cell = ["task", *AXES]
    paired = tidy["seed"].null_count() == 0
    tidy = tidy.sort("group", *AXES, "seed", "error")
    tidy = tidy.with_columns(cluster=pl.struct(cell).rank("dense").cast(pl.Int64) - 1)
    if paired:
        refuse_conflicts(tidy)
        replicate = pl.struct("task", "seed").rank("dense").cast(pl.Int64) - 1
    else:
        replicate = pl.int_range(pl.len()).over("group", *cell).cast(pl.Int64)
    order = ["task", "group", *AXES, "error", "seed", "replicate", "cluster", "test_images", "classes", "run_id"]
    order += [CORRECT, CLUSTERS, TEST_CLASSES]
    return tidy.with_columns(replicate=replicate, seed=pl.col("seed").cast(pl.Int64)).select(order), paired


def _kinds(raw: pl.DataFrame) -> list[str]:
    """The kinds of task in these runs, or the measures in the place of their error; none where a column of this name
    says something else.
    """
    if raw.schema.get("kind") != pl.String:
        return []
    found = set(raw["kind"].drop_nulls())
    return sorted(found) if all(map(is_measure, found)) else []


def _sampled(raw: pl.DataFrame) -> pl.Series:
    """Rows whose error is a mean over test images, so that their number says how noisy it is."""
    kinds = raw["kind"].to_list() if _kinds(raw) else [None] * raw.height
    return pl.Series([kind is None or words_of(kind).sampled for kind in kinds], dtype=pl.Boolean)


def _measure(raw: pl.DataFrame, unit: Unit, error_name: str) -> str:
    """What the errors are called; a plain word where kinds of task are mixed."""
    kinds = _kinds(raw)
    if unit == "loss":
        return LOG_LOSSES.get(error_name, "loss")
    return words_of(kinds[0] if len(kinds) == 1 else "single").error


def _of_loss(error_name: str) -> list[str]:
    """What is said of a log-loss, by which arms may rank otherwise than by the error."""
    if error_name not in LOG_LOSSES:
        return []
    return [
        f"{LOG_LOSSES[error_name]} also counts how sure answers are (test_ece), "
        "so arms may rank otherwise than by the error"
    ]


def _meanings(raw: pl.DataFrame) -> list[str]:
    """What is said of errors that are no share of wrong images."""
    neither = "; neither chance nor the noise of sampling test images is taken into account"
    return [
        f"of runs {'of the kind' if kind in WORDS else 'judged by'} {kind} the error is {words_of(kind).error}: "
        f"{words_of(kind).meaning}{'' if words_of(kind).sampled else neither}"
        for kind in _kinds(raw)
        if kind != "single"
    ]


def _test_images(tidy: pl.DataFrame, unit: Unit) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The number of test images where runs lack it and all others of their task have one number; and what is said of
    errors that are means over test images, where it is filled in or not known.
    """
    missing = tidy["test_images"].is_null() & tidy["sampled"]
    if unit == "loss" or not missing.any():
        return tidy, ()
    given = pl.col("test_images").drop_nulls()
    same = pl.when(given.n_unique().over("task") == 1).then(pl.col("test_images").max().over("task"))
    tidy = tidy.with_columns(test_images=pl.when(missing).then(same).otherwise("test_images"))
    unknown, runs = int((tidy["test_images"].is_null() & missing).sum()), int(tidy["sampled"].sum())
    filled = tidy.filter(missing & pl.col("test_images").is_not_null())
    taken = ", ".join(f"{images:,.0f}" for images in filled["test_images"].unique().sort())
    lack = f"of {runs} runs lack test_images"
    said = [f"{filled.height} {lack}: taken as {taken}, which all others have"] if taken else []
    if unknown:
        which = "test_images is not given:" if unknown == runs else f"{unknown} {lack}: where none has it,"
        said.append(f"{which} intervals leave out the sampling of test images, and are too narrow by that")
    return tidy, tuple(said)


def _warnings(left_out: Mapping[str, int], *, paired: bool) -> list[str]:
    found = [f"{count} row{'' if count == 1 else 's'} left out: {reason}" for reason, count in left_out.items()]
    return found if paired else [*found, "seeds are not given, so the arms cannot be paired; intervals are wider"]
