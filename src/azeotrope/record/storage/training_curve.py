"""How the training of a run went, a row an epoch, beside the records: `curves/<run_id>.csv`.

A record holds what came out; this file holds the way there, for a chart, a tracker or a person's own table. It is
written before its record, so that a record of a run that trained has one; stores that are older have none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azeotrope.errors import InputError
from azeotrope.record.storage.store import RunStore

LOSS = "loss:"
"""What the column of one loss begins with, before the key of the loss."""
FIRST, LAST = ("epoch", "learning_rate", "images_per_second", "loss"), ("val_error", "val_loss")
"""The columns before and after those of the losses; the first is a whole number."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch of a training left.

    `epoch` counts from 0, as `best_epoch` of a record does. `learning_rate` is that of its last step,
    `images_per_second` counts labelled images. `loss` is what was minimised, the weighted sum, and `losses` its terms
    without weights, by key: means over the epoch's steps. `val_error` (a fraction) and `val_loss` (mean loss an image)
    are None after epochs at which validation was not looked at.
    """

    epoch: int
    learning_rate: float
    images_per_second: float
    loss: float
    losses: Mapping[str, float] = field(default_factory=dict)
    val_error: float | None = None
    val_loss: float | None = None

    def row(self) -> dict[str, float | None]:
        """Its numbers by the names of the columns."""
        own: dict[str, float | None] = {name: getattr(self, name) for name in FIRST}
        terms = {f"{LOSS}{key}": value for key, value in self.losses.items()}
        return own | terms | {name: getattr(self, name) for name in LAST}


Curve = tuple[Epoch, ...]


def keep_curve(store: RunStore, run_id: str, curve: Sequence[Epoch]) -> None:
    """Store the curve of this run in the place of an earlier one; without an epoch there is none afterwards."""
    if not curve:
        store.remove(_file(run_id))
        return
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(curve[0].row()), lineterminator="\n")
    writer.writeheader()
    for each in curve:
        writer.writerow({name: "" if value is None else _text(value) for name, value in each.row().items()})
    store.write(_file(run_id), buffer.getvalue().encode())


def curve_of(out: str | Path, run_id: str) -> Curve:
    """The stored curve, empty where there is none. Raises InputError when the file is not one of ours."""
    return _curve(RunStore(str(out)), run_id)


def curves_of(out: str | Path, run_ids: Iterable[str]) -> dict[str, Curve]:
    """The stored curves of these runs, by id; those that have none are left out. Raises as `curve_of`."""
    store = RunStore(str(out))
    stored = set(store.names("curves"))
    return {run_id: _curve(store, run_id) for run_id in run_ids if f"{run_id}.csv" in stored}


def _file(run_id: str) -> str:
    return f"curves/{run_id}.csv"


def _curve(store: RunStore, run_id: str) -> Curve:
    name = _file(run_id)
    stored = store.read(name)
    if stored is None:
        return ()
    try:
        table = csv.DictReader(io.StringIO(stored.decode()), strict=True)
        if missing := {*FIRST, *LAST} - set(table.fieldnames or ()):
            raise KeyError(", ".join(sorted(missing)))
        return tuple(_epoch(row) for row in table)
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise InputError(
            f"The training curve {store.root}/{name} cannot be read",
            found=f"{type(error).__name__}: {error}",
            allowed=f"a table with the columns {', '.join((*FIRST, *LAST))}",
            next_step="move this file away; all else is made without it",
        ) from error


def _epoch(row: Mapping[str, str]) -> Epoch:
    return Epoch(
        int(row["epoch"]),
        float(row["learning_rate"]),
        float(row["images_per_second"]),
        float(row["loss"]),
        {name.removeprefix(LOSS): float(value) for name, value in row.items() if name.startswith(LOSS)},
        *(float(row[name]) if row[name] else None for name in LAST),
    )


def _text(value: float) -> str:
    """Six digits: more than a chart shows, and half the file."""
    return str(value) if isinstance(value, int) else f"{value:.6g}"
