"""`azeotrope.training_curves`: how the runs of a folder trained, epoch by epoch, as one table."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from azeotrope.analysis.comparisons import task_folders
from azeotrope.tables.training_curves import epochs_frame


def training_curves(runs: str | Path) -> pl.DataFrame:
    """The training curves that `compare`, `distill` or `sweep` left in `runs`, a folder or URL: a row a run and epoch.

    Columns that say which run: `run_id`, `state`, `task`, `arm`, `student`, `teacher`, `train_images`, `seed`. Then
    `epoch` (from 0), `learning_rate` (of its last step), `images_per_second` (labelled ones), `loss` (what was
    minimised, mean over its steps), a column `loss:KEY` for each of its terms without weights, `val_error` (a fraction)
    and `val_loss`; the last two are null after epochs at which validation was not looked at.

    Raises InputError where no run has a curve, or a file of them cannot be read.
    """
    return epochs_frame(task_folders(runs))
