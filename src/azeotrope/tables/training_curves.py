"""The stored training curves of one or several stores as one table, beside what their records say of each run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from azeotrope.errors import InputError
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.training_curve import FIRST, LAST, LOSS, curves_of

_OF_A_RUN = {
    **dict.fromkeys(("run_id", "state", "task", "arm", "student", "teacher"), pl.String),
    **dict.fromkeys(("train_images", "seed"), pl.Int64),
}


def epochs_frame(stores: Iterable[str]) -> pl.DataFrame:
    """A row a run and epoch. Raises InputError where no run has a curve, or one cannot be read."""
    rows = [row for store in stores for row in _rows(store)]
    if not rows:
        raise InputError(
            "There are no training curves here",
            found="no file in curves/ that belongs to a record",
            allowed="a folder that azeotrope compare, distill or sweep wrote; versions before curves left none",
            next_step="give the folder that was named with --out, or make the runs again in a new one",
        )
    terms = dict.fromkeys(name for row in rows for name in row if name.startswith(LOSS))
    before, after = dict.fromkeys(FIRST[1:], pl.Float64), dict.fromkeys((*terms, *LAST), pl.Float64)
    return pl.DataFrame(rows, schema={**_OF_A_RUN, FIRST[0]: pl.Int64, **before, **after})


def _rows(store: str) -> Iterator[dict[str, str | float | None]]:
    records = {record.run_id: record for record in RunStore(store)}
    for run_id, curve in curves_of(store, records).items():
        yield from ({**_run(records[run_id]), **each.row()} for each in curve)


def _run(record: RunRecord) -> dict[str, str | int | None]:
    return {
        "run_id": record.run_id,
        "state": record.state,
        "task": record.task.name,
        "arm": record.arm,
        "student": record.student.name,
        "teacher": record.teacher.called if record.teacher else None,
        "train_images": record.train_images,
        "seed": record.seed,
    }
