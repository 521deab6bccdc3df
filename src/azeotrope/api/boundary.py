"""`azeotrope.boundary`: where two strategies swap places, from stored runs or a table. It needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from azeotrope.analysis.arms import check_arms, check_practical, choose_arms, curves_of, practical_difference
from azeotrope.analysis.options import AVERAGE, check_at, check_draws
from azeotrope.boundaries.boundary import PRACTICAL, Boundary, find_boundary
from azeotrope.boundaries.next_runs import Price, by_size
from azeotrope.curves.cells import joint_cells
from azeotrope.curves.fitted.law_fit import Options
from azeotrope.curves.irregular import irregularities
from azeotrope.curves.joint_draws import DRAWS, draw_curves
from azeotrope.curves.level import is_level
from azeotrope.record.run import RunRecord
from azeotrope.tables.columns import Columns
from azeotrope.tables.frame import read_runs


def boundary(
    runs: str | Path | pl.DataFrame | Sequence[RunRecord],
    *,
    axis: str = "train_images",
    challenger: str | None = None,
    baseline: str | None = None,
    at: Sequence[float] = (),
    columns: Columns | None = None,
    law: str = AVERAGE,
    priors: bool = True,
    draws: int = DRAWS,
    seed: int = 0,
    practical: float = PRACTICAL,
    price: Price = by_size,
) -> Boundary:
    """Where `challenger` and `baseline` swap places along `axis`, and how sure that is.

    `runs` is a store (folder or URL), a CSV or Parquet file, a table or records; `columns` maps their names. With two
    groups the distilled one is the challenger. An arm that uses none of the axis (no pre-training, along
    `pretrain_images`) is a level line. `at`: sizes of your own at which to say who wins. `practical` is the
    difference that counts as none: a fraction of error, or for a loss a fraction of the lowest loss. `price` gives the
    cost of a run at a size.

    Raises InputError for arms, columns or values that cannot be; NotIdentifiable below 3 sizes, a factor 2 between
    them, or no size in common. docs/method.md describes the estimator.
    """
    check_at(at)
    check_draws(draws, seed)
    check_practical(practical)
    frame = read_runs(runs, columns)
    names = choose_arms(frame, challenger, baseline)
    arms = [frame.only(name) for name in names]
    warnings = [*frame.warnings, *check_arms(arms, axis)]
    cells = joint_cells(arms, axis)
    together = curves_of(frame, axis, arms[0].table["task"][0])
    drawn = draw_curves(
        joint_cells(together, axis),
        draws=draws,
        seed=seed,
        options=Options(priors=priors),
        form=None if law == AVERAGE else law,
    ).only([[one.groups[0] for one in together].index(name) for name in names])
    smallest_difference = practical_difference(arms, practical)
    found = find_boundary(cells, drawn, axis, at=at, practical=smallest_difference, unit=frame.unit, price=price)
    said = f"{names[0]!r} is the challenger, {names[1]!r} the baseline; differences are baseline minus challenger"
    level = [f"{arm.groups[0]!r} uses no {axis}: its runs stand at every size" for arm in arms if is_level(arm, axis)]
    warnings += irregularities(cells)
    return replace(found, warnings=(*warnings, *found.warnings), notes=(*frame.notes, *level, said))
