"""`azeotrope.boundary`: where two strategies swap places, from stored runs or a table. It needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from azeotrope.advice.boundary import PRACTICAL, Boundary, find_boundary
from azeotrope.advice.cells import joint_cells
from azeotrope.advice.draws import DRAWS, draw_curves
from azeotrope.advice.level import is_level
from azeotrope.advice.next_runs import Price, by_size
from azeotrope.api.asked import AVERAGE, check_at, check_draws
from azeotrope.errors import InputError
from azeotrope.record.checks import FEWEST_SIZES, check_one_curve, check_sizes, common_sizes
from azeotrope.record.columns import Columns
from azeotrope.record.frame import RunFrame, read_runs
from azeotrope.record.run import RunRecord


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
    difference that counts as none: a fraction of error, or for a loss a fraction of the lowest loss; the test set's
    standard error takes its place where that is larger. `price` gives the cost of a run at a size.

    Raises InputError for arms, columns or values that cannot be; NotIdentifiable below 3 sizes, a factor 2 between
    them, or no size in common. METHOD section 7 describes the estimator.
    """
    check_at(at)
    check_draws(draws, seed, "--draws")
    _check_practical(practical)
    frame = read_runs(runs, columns)
    names = choose_arms(frame, challenger, baseline)
    arms = [frame.only(name) for name in names]
    warnings = [*frame.warnings, *_check(arms, axis)]
    cells = joint_cells(arms, axis)
    drawn = draw_curves(cells, draws=draws, seed=seed, priors=priors, form=None if law == AVERAGE else law)
    smallest_difference = practical_difference(arms, practical)
    found = find_boundary(cells, drawn, axis, at=at, practical=smallest_difference, unit=frame.unit, price=price)
    said = f"{names[0]!r} is the challenger, {names[1]!r} the baseline; differences are baseline minus challenger"
    level = [f"{arm.groups[0]!r} uses no {axis}: its runs stand at every size" for arm in arms if is_level(arm, axis)]
    return replace(found, warnings=(*warnings, *found.warnings), notes=(*frame.notes, *level, said))


def choose_arms(frame: RunFrame, challenger: str | None, baseline: str | None) -> tuple[str, str]:
    """The two groups to compare: those named, else the only two there are, the distilled one first."""
    named = [name for name in (challenger, baseline) if name is not None]
    for name in named:
        frame.only(name)
    rest = sorted(set(frame.groups) - set(named), key=lambda name: ("distil" not in name, name))
    if len(set(named)) < len(named) or len(named) + len(rest) < 2:
        raise InputError(
            "A boundary lies between two different arms",
            found=", ".join(named or frame.groups),
            allowed=f"two of: {', '.join(frame.groups)}",
            next_step="choose the column that tells arms apart with --by",
        )
    if len(named) < 2 and len(frame.groups) > 2:
        raise InputError(
            "With more than two arms, both must be named",
            found=", ".join(frame.groups),
            next_step="add --challenger NAME --baseline NAME",
        )
    unnamed = iter(rest)
    return challenger or next(unnamed), baseline or next(unnamed)


def practical_difference(arms: Sequence[RunFrame], practical: float) -> float:
    """The difference that counts as none, in the unit of the errors."""
    lowest = pl.concat([arm.table for arm in arms]).sort("error").row(0, named=True)
    error, images = lowest["error"], lowest["test_images"]
    if not arms[0].bounded:
        return float(practical * error)
    return float(max(practical, (error * (1 - error) / images) ** 0.5 if images else 0.0))


def _check(arms: Sequence[RunFrame], axis: str) -> list[str]:
    """Refuse designs that cannot answer; return what weakens the answer."""
    tasks = sorted({task for arm in arms for task in arm.table["task"].unique()})
    if len(tasks) > 1:
        raise InputError(
            "Both arms of a boundary must be of one task",
            found=", ".join(tasks),
            next_step="keep one with --where task=NAME",
        )
    for arm in arms:
        check_one_curve(arm, axis)
    curved = [arm for arm in arms if not is_level(arm, axis)] or list(arms)
    common = common_sizes(curved[0], curved[-1], axis)
    warnings = [warning for arm in curved for warning in check_sizes(arm, axis)]
    if len(common) < FEWEST_SIZES:
        warnings.append(f"the arms share {len(common)} sizes only: the law-free check says little")
    return warnings


def _check_practical(practical: float) -> None:
    if not 0 <= practical < 1:
        raise InputError(
            "The difference that counts as none is a fraction of error",
            found=f"{practical:g}",
            allowed="for half a point, 0.005",
            next_step="correct --practical",
        )
