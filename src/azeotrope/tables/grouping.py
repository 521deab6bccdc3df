"""Which stored runs make one curve: the contenders, by student, arm and pre-training done here.

It names and groups; it judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from azeotrope.record.folds import pooled
from azeotrope.record.run import RunRecord
from azeotrope.tables.checks import FEWEST_SIZES
from azeotrope.tables.columns import Columns
from azeotrope.tables.edges import NoUsableRun
from azeotrope.tables.frame import RunFrame, read_runs
from azeotrope.tables.table import flatten

COLUMN = "contender"


def contender(arm: str, pretrain_images: int) -> str:
    """The arm, with the number of images it was pre-trained on here, where there were any."""
    return f"{arm}, pre-trained on {pretrain_images:,}" if pretrain_images else arm


def finished(records: Sequence[RunRecord]) -> dict[str, RunFrame]:
    """The curves of one student, by contender; those with too few sizes for a law are left out.

    Raises InputError when these runs do not belong together (several tasks, or two runs of one arm, size and seed).
    """
    done = [run for run in pooled(records) if run.state == "done" and run.test_error is not None]
    if not done:
        return {}
    names = pl.Series(COLUMN, [contender(run.arm, run.pretrain_images) for run in done])
    try:
        frame = read_runs(flatten(done).with_columns(names), Columns(by=(COLUMN,)))
    except NoUsableRun:
        return {}
    curves = {name: frame.only(name) for name in frame.groups}
    return {name: curve for name, curve in curves.items() if curve.table["train_images"].n_unique() >= FEWEST_SIZES}
