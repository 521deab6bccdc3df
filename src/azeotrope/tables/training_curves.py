"""The stored training curves of one or several stores as one table, beside what their records say of each run."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from azeotrope.errors import InputError
from azeotrope.record.run import RunRecord
from azeotrope.record.store import RunStore
from azeotrope.record.training_curve import curves_of


def epochs_frame(stores: Iterable[str]) -> pl.DataFrame:
    """A row a run and epoch. Raises InputError where no run has a curve, or one cannot be read."""
    parts = [part for store in stores for part in _parts(store)]
    if not parts:
        raise InputError(
            "There are no training curves here",
            found="no file in curves/ that belongs to a record",
            allowed="a folder that azeotrope compare, distill or sweep wrote; versions before curves left none",
            next_step="give the folder that was named with --out, or make the runs again in a new one",
        )
    return pl.concat(parts, how="diagonal")


def _parts(store: str) -> list[pl.DataFrame]:
    records = {record.run_id: record for record in RunStore(store)}
    return [
        pl.DataFrame([{**_run(records[run_id]), **each.row()} for each in curve], infer_schema_length=None)
        for run_id, curve in curves_of(store, records).items()
    ]


def _run(record: RunRecord) -> dict[str, str | int | None]:
    return {
        "run_id": record.run_id,
        "state": record.state,
        "task": record.task.name,
        "arm": record.arm,
        "student": record.student.name,
        "teacher": record.teacher.name if record.teacher else None,
        "train_images": record.train_images,
        "seed": record.seed,
    }
