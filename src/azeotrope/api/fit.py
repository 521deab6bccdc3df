"""`azeotrope.fit`: how error falls with images, model size or pretraining images, for every group of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from azeotrope.advice.cells import joint_cells
from azeotrope.advice.draws import draw_curves
from azeotrope.advice.needs import required
from azeotrope.errors import InputError, NotIdentifiable
from azeotrope.fitting.cells import cells_of
from azeotrope.fitting.form import Options
from azeotrope.fitting.forms import default_forms, takes
from azeotrope.fitting.group import fit_group
from azeotrope.fitting.result import FitResult, Forecast, GroupFit
from azeotrope.laws._law import Law
from azeotrope.laws._law import law as law_of
from azeotrope.record.checks import check_sizes
from azeotrope.record.columns import AXES, Columns
from azeotrope.record.frame import RunFrame, read_runs
from azeotrope.record.run import RunRecord

AVERAGE = "average"
FEWEST_DRAWS = 100
_ORDER = ("parameters", "pretrain_images", "train_images")


def fit(
    runs: str | Path | pl.DataFrame | Sequence[RunRecord],
    *,
    at: Sequence[float] = (),
    law: str = AVERAGE,
    forecast: float | None = None,
    loss: Literal["squared", "huber"] = "squared",
    priors: bool = True,
    bootstrap: int = 1000,
    seed: int = 0,
    columns: Columns | None = None,
) -> FitResult:
    """Fit scaling laws to every group in `runs` (a store, a CSV or Parquet file, a table, or records).

    `at`: sizes to predict at, along the data axis. `law`: one law's key, or "average" for all that apply. `bootstrap`
    0 leaves out intervals. `forecast`: a target error, for which each group says how many images it needs. `columns`
    maps the table's own names. A group that cannot be fitted is `refused` with the reason.

    Raises NotIdentifiable when no group can be fitted (fewer than 3 sizes, a span below 2), InputError for bad input.
    """
    _check(at, bootstrap)
    frame = read_runs(runs, columns)
    options = Options(huber=loss == "huber", priors=priors, bootstrap=bootstrap, seed=seed)
    asked = _Asked(tuple(at), law, options, forecast)
    groups = {name: asked.of(frame.only(name)) for name in frame.groups}
    if all(group.refused for group in groups.values()):
        raise asked.refusals[0]
    return FitResult(
        axes=axes_of(frame),
        unit=frame.unit,
        level=options.level,
        groups=groups,
        notes=frame.notes,
        warnings=frame.warnings,
        excluded=dict(frame.excluded),
    )


@dataclass(frozen=True)
class _Asked:
    """What was asked, put to one group at a time; refusals are kept so that the first can be raised when all
    refuse.
    """

    at: tuple[float, ...]
    law: str
    options: Options
    forecast: float | None
    refusals: list[NotIdentifiable] = field(default_factory=list)

    def of(self, frame: RunFrame) -> GroupFit:
        """Fit one group, or say why not."""
        try:
            return self._fit(frame)
        except NotIdentifiable as refusal:
            self.refusals.append(refusal)
            return GroupFit(refused=str(refusal))

    def _fit(self, frame: RunFrame) -> GroupFit:
        axes = axes_of(frame)
        warnings = [warning for axis in axes for warning in check_sizes(frame, axis)]
        cells = cells_of(frame, axes)
        laws = choose_laws(self.law, axes, frame, len(cells.error), priors=self.options.priors)
        if cells.chance is None and frame.bounded and len(axes) == 1 and self.law == AVERAGE:
            warnings.append(
                "the number of classes is not given, so forms with a ceiling (bounded, sigmoid) are left out"
            )
        found = fit_group(
            cells, laws, axes, self.at, self.options, unit=frame.unit, excluded=frame.excluded, warnings=warnings
        )
        return found if self.forecast is None else self._foresee(frame, axes, found)

    def _foresee(self, frame: RunFrame, axes: tuple[str, ...], found: GroupFit) -> GroupFit:
        if len(axes) > 1:
            raise InputError(
                "A forecast is made along one axis",
                found=" and ".join(axes),
                next_step=f"hold the other with --where {axes[0]}=VALUE, or add it to --by",
            )
        assert self.forecast is not None
        cells = joint_cells([frame], axes[0])
        drawn = draw_curves(
            cells,
            question="beyond",
            draws=max(self.options.bootstrap, FEWEST_DRAWS),
            seed=self.options.seed,
            priors=self.options.priors,
            form=None if self.law == AVERAGE else self.law,
        )
        needed = required(cells, drawn, 0, self.forecast, self.options.level)
        low, high = (end if math.isfinite(end) else None for end in (needed.images.low, needed.images.high))
        forecast = Forecast(
            target=needed.target,
            value=needed.value,
            low=low,
            high=high,
            p_never=needed.p_never,
            p_already=needed.p_already,
        )
        return found.model_copy(update={"forecast": forecast, "warnings": (*found.warnings, *needed.warnings)})


def axes_of(frame: RunFrame) -> tuple[str, ...]:
    """The axes along which these runs differ, in the order of the laws: model, pretraining, data.

    Raises InputError when all three vary, NotIdentifiable when none does.
    """
    axes = tuple(axis for axis in _ORDER if axis in frame.axes)
    if not axes:
        raise NotIdentifiable(
            "A law needs runs at several sizes",
            found=f"all runs of {', '.join(frame.groups)} have one size",
            allowed=f"at least 3 sizes of {', '.join(AXES)}",
            next_step="add runs at other sizes, or name the size's column with --x",
        )
    if len(axes) > 2:
        raise InputError(
            "No law here takes three axes at once",
            found=", ".join(axes),
            allowed="one or two that vary",
            next_step="hold one with --where parameters=VALUE, or add it to --by",
        )
    return axes


def choose_laws(name: str, axes: tuple[str, ...], frame: RunFrame, cells: int, *, priors: bool) -> list[Law]:
    """The law of that name, or all that apply to these axes. Raises InputError when none does."""
    lowest = {axis: float(frame.table[axis].to_numpy().min()) for axis in axes}
    if name == AVERAGE:
        laws = [
            form
            for form in default_forms(axes, cells, frame.chance_error, priors=priors)
            if takes(form, tuple(lowest.values()))
        ]
    else:
        laws = [law_of(name)]
    if not laws or len(laws[0].symbols) != len(axes):
        raise InputError(
            f"{'No law here is' if name == AVERAGE else f'The law {name!r} is not'} a formula in {' and '.join(axes)}",
            allowed=", ".join(form.key for form in default_forms(axes, cells, frame.chance_error))
            or "one axis that varies",
            next_step="take one of these with --law, or hold an axis with --where",
        )
    return laws


def _check(at: Sequence[float], bootstrap: int) -> None:
    if any(size <= 0 for size in at):
        raise InputError("Sizes to predict at are counts above zero", found=f"--at {min(at):g}")
    if bootstrap < 0 or 0 < bootstrap < FEWEST_DRAWS:
        raise InputError(
            f"A 90 % interval needs at least {FEWEST_DRAWS} bootstrap draws",
            found=f"--bootstrap {bootstrap}",
            allowed=f"{FEWEST_DRAWS} or more; 1000 is the default; 0 for no intervals",
        )
