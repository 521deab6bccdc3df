"""The runs of one task as contenders: every student and way of training, with its curve, its price and its run ids.

It reads and groups. Which contenders fit the user's limits, and which is best, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from azeotrope.advice.files import as_files, measured_targets
from azeotrope.errors import InputError
from azeotrope.recipe import BALANCED
from azeotrope.record.folds import pooled
from azeotrope.record.kinds import MEASURES, words_of
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.tables.columns import LINE, Columns, keep_where
from azeotrope.tables.frame import RunFrame, read_runs
from azeotrope.tables.grouping import contender
from azeotrope.tables.reading import SUFFIXES
from azeotrope.tables.table import flatten, read_table
from azeotrope.tables.units import Unit

Source = str | Path | pl.DataFrame | Sequence[RunRecord]

PHASE = "seconds_"
"""Prefix of the columns that hold a run's seconds by phase; a table may also give them as one column `seconds`."""
_LABEL = "contender"


_COMMON_CLASS, _COMMON_ERROR = "common_class", "common_error"


@dataclass(frozen=True)
class Contender:
    """One way to train one student. `name` is unique; `student` is "" where the runs do not say.

    `latency_ms` and `size_mb` are measured, of what the runs were judged as; None where they were not.
    `spent` has a row a run: train_images and seconds by phase (`seconds_train` ...); no rows where the runs hold none.
    `images_per_second` is the rate at which this student trains whole and without a teacher, where these runs show it;
    `published_images` is how many (times epochs) pre-trained the weights it starts from, where that is published.
    """

    name: str
    student: str
    arm: str
    init: str
    parameters: float | None
    latency_ms: float | None
    size_mb: float | None
    images_per_second: float | None
    published_images: float | None
    curve: RunFrame
    spent: pl.DataFrame

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Ids of the runs behind its curve; of a table without ids, its lines."""
        return tuple(self.curve.table["run_id"].to_list())

    @property
    def always_wrong(self) -> bool:
        """Whether no run gave a right answer, as a column that holds accuracies says of perfect runs."""
        if not self._counts_images:
            return False
        right = (1 - pl.col("error")) * (pl.col("test_images") + 1)  # half an answer stands for none (`tables.edges`)
        return bool(self.curve.table.select((right < 1).fill_null(value=False).all()).item())

    @property
    def never_wrong(self) -> float | None:
        """The fewest test images of a run where no run gave a wrong answer on any; None where one did, or where the
        error does not tell.
        """
        if not self._counts_images or self.curve.table["test_images"].null_count():
            return None
        half = pl.col("error") * (pl.col("test_images") + 1)  # half an answer stands for none (`tables.edges`)
        perfect = bool(self.curve.table.select((half < 1).all()).item())
        return float(self.curve.table["test_images"].min()) if perfect else None  # type: ignore[arg-type]  # numbers

    @property
    def _counts_images(self) -> bool:
        """Whether the error is a number of images; one of a large class is far less of a mean over classes."""
        return self.curve.unit != "loss" and self.curve.measure != words_of(BALANCED).error


@dataclass(frozen=True)
class Evidence:
    """All contenders of one task, with what was left out and what weakens the answer. `targets`: export targets that
    the runs were measured as and are not judged by.
    """

    task: str
    contenders: tuple[Contender, ...]
    teachers: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    left_out: Mapping[str, int]
    measure: str = "error"
    unit: Unit = "fraction"
    targets: tuple[str, ...] = ()

    @property
    def largest(self) -> float:
        """The largest number of images that any contender was trained on."""
        return max(float(one.curve.table["train_images"].max() or 0) for one in self.contenders)  # type: ignore[arg-type]


def read_evidence(source: Source, columns: Columns | None = None, *, deploy: str | None = None) -> Evidence:
    """The contenders in a store (folder or URL), a CSV or Parquet file, a table or records.

    With `deploy` the runs are judged by their files of that export target. Raises InputError for what `tables.frame`
    refuses, for runs of several tasks, and where no run was measured as such a file.
    """
    columns = columns or Columns()
    raw, unreadable, targets = _raw(source, deploy)
    raw = _labelled(keep_where(raw, columns.where), columns.by)
    mapped = Columns(columns.x, columns.error, (_LABEL,), {}, columns.error_unit)
    frame = read_runs(raw, mapped)
    _check(frame)
    images = columns.x.get("images") or columns.x.get("train_images") or "train_images"
    by_name = {name: frame.only(name) for name in frame.groups}
    contenders = tuple(_contender(name, curve, raw, images) for name, curve in by_name.items())
    tasks = frame.table["task"].unique().to_list()
    named = raw["task"][0] if "task" in raw.columns else ""
    warnings = (*frame.warnings, *(f"a record was left out: {line}" for line in unreadable))
    teachers = tuple(sorted(raw["teacher"].drop_nulls().unique())) if "teacher" in raw.columns else ()
    notes = (*frame.notes, *_always_naming(raw), *_judged_by(deploy))
    unit: Unit = "loss" if frame.unit == "loss" else "fraction"  # per cents are fractions by now
    return Evidence(
        str(named or tasks[0]), contenders, teachers, notes, warnings, frame.excluded, frame.measure, unit, targets
    )


def _judged_by(deploy: str | None) -> tuple[str, ...]:
    if deploy is None:
        return ()
    return (
        f"Errors, latency (one image, one thread) and size are those of the {deploy} files, as they were measured.",
    )


def _always_naming(raw: pl.DataFrame) -> tuple[str, ...]:
    """What an answer that looks at nothing scores, where the records know."""
    if _COMMON_ERROR not in raw.columns or not (known := raw.drop_nulls(_COMMON_ERROR)).height:
        return ()
    name, error = known[_COMMON_CLASS][0], known[_COMMON_ERROR][0]
    by = next(iter(raw["kind"])) if "kind" in raw.columns else None
    if by in MEASURES:
        return (f"Always naming {name!r}, the largest class, has a {words_of(by).error} of {100 * error:.1f} %.",)
    return (f"Always naming {name!r}, the largest class, is wrong on {100 * error:.1f} % of the test images.",)


def _raw(source: Source, deploy: str | None) -> tuple[pl.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """One row a run, with seconds by phase and an id; what was left out; targets that nobody asked for."""
    if isinstance(source, pl.DataFrame) or (isinstance(source, str | Path) and str(source).lower().endswith(SUFFIXES)):
        if deploy is not None:
            raise InputError(
                "A table of runs holds one error a run",
                found=f"--deploy {deploy}",
                allowed="--deploy with a folder or URL of records, of which each holds those of its files too",
                next_step="name the column of that error with --error, or leave --deploy out",
            )
        table, _ = read_table(source)
        if "run_id" not in table.columns:  # line 1 is the header
            lines = pl.format(f"{LINE}{{}}", pl.int_range(2, pl.len() + 2))
            table = table.with_columns(run_id=lines)
        return table, (), ()
    if not isinstance(source, str | Path):
        return _judged(source, (), deploy)
    store = RunStore(str(source))
    records = list(store)
    unreadable = tuple(f"{problem.path}: {problem.reason}" for problem in store.problems)
    if not records:
        raise InputError(
            "Advice is made from stored runs",
            found=f"none that can be read in {source}" + "".join(f"; {line}" for line in unreadable[:3]),
            allowed="a folder or URL that compare or sweep wrote, a .csv or a .parquet file with a row a run",
            next_step="check the path, or make runs with `azeotrope sweep`",
        )
    return _judged(records, unreadable, deploy)


def _judged(
    records: Sequence[RunRecord], unreadable: tuple[str, ...], deploy: str | None
) -> tuple[pl.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """The runs by their networks, or by their files."""
    records = pooled(records)
    if deploy is None:
        return _with_seconds(records), unreadable, measured_targets(records)
    files, lacking = as_files(records, deploy)
    known = {run.run_id: run.deployed[deploy] for run in files}
    measured = {name: [getattr(known[run.run_id], name) for run in files] for name in ("latency_ms", "size_mb")}
    columns = (pl.Series(name, values, dtype=pl.Float64) for name, values in measured.items())
    return _with_seconds(files).with_columns(*columns), (*unreadable, *lacking), ()


def _with_seconds(records: Sequence[RunRecord]) -> pl.DataFrame:
    phases = sorted({phase for run in records for phase in run.seconds})
    spent = {
        f"{PHASE}{phase}": [run.seconds.get(phase, 0.0 if run.seconds else None) for run in records] for phase in phases
    }
    names = [contender(run.arm, run.pretrain_images) for run in records]
    return flatten(records).with_columns(
        pl.Series("arm", names),
        pl.Series("images_per_second", [run.training_rate for run in records], dtype=pl.Float64),
        pl.Series("published_images", [run.published_images for run in records], dtype=pl.Float64),
        pl.Series(_COMMON_CLASS, [run.task.common_class for run in records], dtype=pl.String),
        pl.Series(_COMMON_ERROR, [run.task.common_error for run in records], dtype=pl.Float64),
        *(pl.Series(name, seconds, dtype=pl.Float64) for name, seconds in spent.items()),
    )


def _labelled(raw: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Add the contender's name: the arm, with the student and the teacher where there are several."""
    for name in by:
        if name not in raw.columns:
            raise InputError(
                f"There is no column named {name!r}",
                found=", ".join(raw.columns),
                next_step="name the columns that tell arms apart with --by",
            )
    arms = list(by) or [name for name in ("arm", "strategy") if name in raw.columns][:1]
    if not arms:
        raise InputError(
            "Advice needs to know which run is of which strategy",
            found=f"columns {', '.join(raw.columns)}",
            allowed="a column arm or strategy",
            next_step="name it with --by",
        )
    raw = raw.with_columns(arm=pl.concat_str([pl.col(name).cast(pl.String) for name in arms], separator=","))
    student = _student(raw)
    several = raw.select(student.n_unique()).item() > 1
    told_apart = [student] if several else []
    if "teacher" in raw.columns and raw["teacher"].drop_nulls().n_unique() > 1:
        told_apart.append(pl.col("teacher").cast(pl.String))
    within = pl.concat_str(told_apart, separator=", ", ignore_nulls=True) if told_apart else pl.lit("")
    label = pl.when(within == "").then(pl.col("arm")).otherwise(pl.format("{} ({})", pl.col("arm"), within))
    return raw.with_columns(student.alias("student"), label.alias(_LABEL))


def _student(raw: pl.DataFrame) -> pl.Expr:
    if "student" in raw.columns:
        return pl.col("student").cast(pl.String).fill_null("")
    if "parameters" in raw.columns:
        return pl.format("{} parameters", pl.col("parameters").cast(pl.Int64)).fill_null("")
    return pl.lit("")


def _check(frame: RunFrame) -> None:
    tasks = sorted(frame.table["task"].unique().to_list())
    if len(tasks) > 1:
        raise InputError(
            "Advice is about one task",
            found=", ".join(tasks),
            allowed="runs on one labelled image set",
            next_step="keep one with --where task=NAME, or give another folder",
        )


def _contender(name: str, curve: RunFrame, raw: pl.DataFrame, images: str) -> Contender:
    mine = raw.filter((pl.col(_LABEL) == name) & pl.col("run_id").is_in(curve.table["run_id"].to_list()))
    phases = [column for column in mine.columns if column.startswith(PHASE) or column == "seconds"]
    arm = str(mine["arm"][0])
    spent = mine.select(
        pl.col(images).cast(pl.Float64).alias("train_images"), *(pl.col(phase).cast(pl.Float64) for phase in phases)
    )
    return Contender(
        name=name,
        student=str(mine["student"][0]),
        arm=arm,
        init=str(mine["init"][0]) if "init" in mine.columns else _init(arm),
        parameters=_known(curve.table, "parameters"),
        latency_ms=_known(mine, "latency_ms"),
        size_mb=_known(mine, "size_mb"),
        images_per_second=_known(raw.filter(pl.col("student") == mine["student"][0]), "images_per_second"),
        published_images=_known(mine, "published_images"),
        curve=curve,
        spent=spent.drop_nulls() if phases else spent.clear(),
    )


def _init(arm: str) -> str:
    """Where weights start, from the arm's name alone: fine-tuning and probing need weights to start from."""
    if "@" in arm:
        return arm.partition("@")[2].partition(":")[0]
    return "hub" if arm.replace("-", "_").startswith(("finetune", "fine_tune", "linear_probe")) else "random"


def _known(table: pl.DataFrame, column: str) -> float | None:
    """The mean of what the runs say, or None when they do not."""
    value = table[column].mean() if column in table.columns else None
    return float(value) if isinstance(value, int | float) else None
