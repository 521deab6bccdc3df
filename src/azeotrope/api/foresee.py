"""`azeotrope.api.foresee`: the runs that a sweep would make and how long they would take. It makes none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from azeotrope.record.store import RunStore
from azeotrope.session.progress import Progress, Silent
from azeotrope.session.sweep_setup import Cell, cell_of, open_sweep, read_plan, standing_records
from azeotrope.sweeping.forecast import Forecast
from azeotrope.sweeping.sweep_plan import SweepPlan


@dataclass(frozen=True)
class Foreseen:
    """What a sweep would make. `seconds` of all runs are added up; with `auto` only a part of them will be made."""

    cells: tuple[Cell, ...]
    seconds: float
    workers: int
    auto: bool
    not_tested: dict[str, str]


def foresee(
    plan: SweepPlan | str | Path, *, out: str | Path, cache: Path | None = None, progress: Progress | None = None
) -> Foreseen:
    """The runs of `plan` and how long they will take, from a trial of seconds. Nothing is written but the cache."""
    plan = read_plan(plan)
    grid, bench, resources = open_sweep(plan, out, cache, progress or Silent())
    known = standing_records(RunStore(bench.store), grid, retry_failed=False)
    left = [spec for spec in grid.specs if spec.digest() not in known]
    forecast = Forecast(left, resources, measured=True)
    cells = tuple(cell_of(spec, known, forecast) for spec in grid.specs)
    return Foreseen(
        cells,
        sum(cell.seconds or 0.0 for cell in cells),
        plan.engine.workers or 1,
        plan.train_images == "auto",
        grid.left_out,
    )
