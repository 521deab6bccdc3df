"""`azeotrope.fit`: how error falls with images, model size or pretraining images, for every group of runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from azeotrope.analysis.axes import common_axes
from azeotrope.analysis.group_questions import GroupQuestions
from azeotrope.analysis.options import AVERAGE, FEWEST_DRAWS, check_at, check_draws
from azeotrope.boundaries.images_needed import check_target
from azeotrope.boundaries.next_runs import Price, by_size
from azeotrope.curves.fitted.law_fit import Options
from azeotrope.curves.joint_draws import DRAWS
from azeotrope.fitting.result import FitResult
from azeotrope.record.run import RunRecord
from azeotrope.tables.columns import Columns
from azeotrope.tables.frame import read_runs


def fit(
    runs: str | Path | pl.DataFrame | Sequence[RunRecord],
    *,
    at: Sequence[float] = (),
    law: str = AVERAGE,
    forecast: float | None = None,
    loss: Literal["squared", "huber"] = "squared",
    priors: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    columns: Columns | None = None,
    price: Price = by_size,
) -> FitResult:
    """Fit scaling laws to every group in `runs` (a store, a CSV or Parquet file, a table, or records).

    `at`: sizes to predict at, along the data axis. `law`: one law's key, or "average" for all that apply. `draws`
    0 leaves out intervals. `forecast`: a target error, for which each group says how many images it needs, and which
    run would tell most about that for its `price`. `columns` maps the table's own names. A group that cannot be fitted
    is `refused` with the reason.

    Raises NotIdentifiable when no group can be fitted (fewer than 3 sizes, a span below 2), InputError for bad input.
    """
    check_at(at)
    check_draws(draws or FEWEST_DRAWS, seed)
    frame = read_runs(runs, columns)
    if forecast is not None:
        check_target(forecast, bounded=frame.bounded)
    options = Options(huber=loss == "huber", priors=priors, bootstrap=draws, seed=seed)
    asked = GroupQuestions(tuple(at), law, options, forecast, price, frame)
    groups = {name: asked.of(frame.only(name)) for name in frame.groups}
    if all(group.refused for group in groups.values()):
        raise asked.refusals[0]
    return FitResult(
        axes=common_axes(frame, groups),
        unit=frame.unit,
        measure=frame.measure,
        level=options.level,
        groups=groups,
        notes=frame.notes,
        warnings=frame.warnings,
        excluded=dict(frame.excluded),
    )
