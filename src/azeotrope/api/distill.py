"""`azeotrope.distill`: train one student and leave its model and record on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import polars as pl

from azeotrope.errors import RunFailed
from azeotrope.plan import TeacherSpec
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.claim import claimed
from azeotrope.record.storage.store import expanded
from azeotrope.session.comparisons.comparison_plan import comparison_plan
from azeotrope.session.comparisons.making import made
from azeotrope.session.comparisons.saving import save_run
from azeotrope.session.options import Options, parted
from azeotrope.session.progress import Progress, Silent
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.tables.training_curves import epochs_frame


@dataclass(frozen=True)
class Distilled:
    """The folder of the saved model, and the record of its run."""

    model: Path
    record: RunRecord

    def curves(self) -> pl.DataFrame:
        """How the student trained, a row an epoch: see `azeotrope.training_curves`."""
        out = str(self.model.parents[1])
        return epochs_frame([out]).filter(pl.col("run_id") == self.record.run_id)


def distill(
    data: str | Path,
    *,
    student: str,
    teacher: str | TeacherSpec | None,
    out: str | Path,
    train_images: int | None = None,
    arm: str = "distill",
    seed: int = 0,
    track: str | Sequence[str] = (),
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Distilled:
    """Train `student` on `data` towards `teacher` and save it under `out/models/`. Arguments as in `compare`.

    Raises InputError for wrong input, StoreError for an output folder that cannot be used, and RunFailed with the
    reason when the training cannot be finished; the reason is then on record too.
    """
    asked, machine = parted(options)
    plan = comparison_plan(
        data, student=student, teacher=teacher, train_images=train_images, arms=[arm], seeds=[seed], **asked
    )
    with claimed(Path(expanded(out))) as folder:
        opened, (record,) = made(plan, folder, progress or Silent(), machine, track)
        if record.state == "failed":
            raise RunFailed(record.reason or "the run failed")
        (spec,) = opened.grid.specs
        return Distilled(save_run(opened, Runner(opened.resources, folder), record, spec), record)
