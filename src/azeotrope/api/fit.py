"""`azeotrope.fit`: how error falls with images, model size or pretraining images, for every group of runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from azeotrope.advice.cells import joint_cells
from azeotrope.advice.draws import draw_curves
from azeotrope.advice.needs import check_target, required, required_draws
from azeotrope.advice.next_runs import SUGGESTED, Price, by_size, settle_forecast
from azeotrope.api.asked import AVERAGE, FEWEST_DRAWS, check_at, check_draws
from azeotrope.errors import InputError, NotIdentifiable
from azeotrope.fitting.cells import cells_of
from azeotrope.fitting.form import Options
from azeotrope.fitting.forms import default_forms, is_in, takes
from azeotrope.fitting.group import fit_group
from azeotrope.fitting.result import FitResult, Forecast, GroupFit, NextSize
from azeotrope.laws._law import Law
from azeotrope.laws._law import law as law_of
from azeotrope.record.checks import check_sizes, sizes
from azeotrope.record.columns import AXES, Columns
from azeotrope.record.frame import RunFrame, read_runs
from azeotrope.record.run import RunRecord

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
    price: Price = by_size,
) -> FitResult:
    """Fit scaling laws to every group in `runs` (a store, a CSV or Parquet file, a table, or records).

    `at`: sizes to predict at, along the data axis. `law`: one law's key, or "average" for all that apply. `bootstrap`
    0 leaves out intervals. `forecast`: a target error, for which each group says how many images it needs, and which
    run would tell most about that for its `price`. `columns` maps the table's own names. A group that cannot be fitted
    is `refused` with the reason.

    Raises NotIdentifiable when no group can be fitted (fewer than 3 sizes, a span below 2), InputError for bad input.
    """
    check_at(at)
    check_draws(bootstrap or FEWEST_DRAWS, seed, "--bootstrap")
    frame = read_runs(runs, columns)
    if forecast is not None:
        check_target(forecast, bounded=frame.bounded)
    options = Options(huber=loss == "huber", priors=priors, bootstrap=bootstrap, seed=seed)
    asked = _Asked(tuple(at), law, options, forecast, price)
    groups = {name: asked.of(frame.only(name)) for name in frame.groups}
    if all(group.refused for group in groups.values()):
        raise asked.refusals[0]
    return FitResult(
        axes=_common_axes(frame, groups),
        unit=frame.unit,
        measure=frame.measure,
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
    price: Price
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
            named = frame.measure != "error"
            why = f"the {frame.measure} of chance is not known" if named else "the number of classes is not given"
            warnings.append(f"{why}, so forms with a ceiling (bounded, sigmoid) are left out")
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
        sizes_drawn = required_draws(cells, drawn, 0, self.forecast)
        ranked = settle_forecast(cells, drawn, sizes_drawn, price=self.price)[:SUGGESTED]
        low, high = (end if math.isfinite(end) else None for end in (needed.images.low, needed.images.high))
        forecast = Forecast(
            target=needed.target,
            value=needed.value,
            low=low,
            high=high,
            p_never=needed.p_never,
            p_already=needed.p_already,
            next_runs=tuple(
                NextSize(size=run.size, variance_removed=run.variance_removed, price=run.price) for run in ranked
            ),
        )
        return found.model_copy(update={"forecast": forecast, "warnings": (*found.warnings, *needed.warnings)})


def axes_of(frame: RunFrame) -> tuple[str, ...]:
    """The axes along which the runs of a group differ, in the order of the laws: model, pretraining, data.

    Raises InputError when all three vary or some runs lack a size, NotIdentifiable when none varies.
    """
    for axis in AXES:
        if 0 < frame.table[axis].null_count() < frame.table.height:
            sizes(frame, axis)  # refuses, and says how many runs lack it
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


def _common_axes(frame: RunFrame, groups: Mapping[str, GroupFit]) -> tuple[str, ...]:
    """The axes along which any group was fitted; predictions of all must reach out along the same one.

    Raises InputError when they do not.
    """
    by_group = {name: axes_of(frame.only(name)) for name, group in groups.items() if not group.refused}
    if len({axes[-1] for axes in by_group.values()}) > 1:
        raise InputError(
            "All groups must vary along the same axis",
            found="; ".join(f"{name} along {' and '.join(axes)}" for name, axes in by_group.items()),
            next_step="fit them one at a time: --where COLUMN=VALUE",
        )
    return tuple(axis for axis in _ORDER if any(axis in axes for axes in by_group.values()))


def choose_laws(name: str, axes: tuple[str, ...], frame: RunFrame, cells: int, *, priors: bool) -> list[Law]:
    """The law of that name, or all that apply to these axes. Raises InputError when none does."""
    lowest = tuple(float(frame.table[axis].to_numpy().min()) for axis in axes)
    known = default_forms(axes, cells, frame.chance_error, priors=priors)
    laws = [form for form in known if takes(form, lowest)] if name == AVERAGE else [law_of(name)]
    if not laws or not is_in(laws[0], axes):
        raise InputError(
            f"{'No law here is' if name == AVERAGE else f'The law {name!r} is not'} a formula in {' and '.join(axes)}",
            allowed=", ".join(form.key for form in known) or "one axis that varies",
            next_step="take one of these with --law, or hold an axis with --where",
        )
    return laws
