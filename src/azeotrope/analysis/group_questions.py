"""What `fit` is asked, put to one group of runs at a time: its laws, its predictions, and images for a target."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from azeotrope.analysis.arms import curves_of
from azeotrope.analysis.axes import axes_of, choose_laws
from azeotrope.analysis.options import AVERAGE, FEWEST_DRAWS
from azeotrope.boundaries.images_needed import required, required_draws
from azeotrope.boundaries.next_runs import Price, apart, settle_forecast
from azeotrope.curves.cells import JointCells, joint_cells, surface_cells
from azeotrope.curves.fitted.law_fit import Options
from azeotrope.curves.irregular import irregularities
from azeotrope.curves.joint_draws import Draws, draw_curves
from azeotrope.errors import InputError, NotIdentifiable
from azeotrope.fitting.group import fit_group
from azeotrope.fitting.result import Forecast, GroupFit, NextSize
from azeotrope.laws._law import law as law_of
from azeotrope.tables.checks import check_sizes
from azeotrope.tables.frame import RunFrame


@dataclass(frozen=True)
class GroupQuestions:
    """What was asked, put to one group at a time; refusals are kept so that the first can be raised when all
    refuse.
    """

    at: tuple[float, ...]
    law: str
    options: Options
    forecast: float | None
    price: Price
    everything: RunFrame
    refusals: list[NotIdentifiable] = field(default_factory=list)
    _together: dict[tuple[str, str], JointCells] = field(default_factory=dict)

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
        cells = surface_cells(frame, axes)
        laws = choose_laws(self.law, axes, frame, len(cells.error), priors=self.options.priors)
        together, drawn = self._drawn(frame, axes)
        if together is not None and drawn is not None:
            cells, laws = together.curve(0), [law_of(key) for key in drawn.forms]
            warnings += irregularities(together)
            if frame.bounded and frame.chance_error is None:
                why = "the number of classes is not given" if frame.measure == "error" else f"of {frame.measure}"
                warnings.append(f"chance is not known ({why}): laws with a ceiling (bounded, sigmoid) have it at 1")
        found = fit_group(
            cells,
            laws,
            axes,
            self.at,
            self.options,
            unit=frame.unit,
            excluded=frame.excluded,
            warnings=warnings,
            drawn=drawn,
        )
        return found if self.forecast is None else self._foresee(axes, found, together, drawn)

    def _drawn(self, frame: RunFrame, axes: tuple[str, ...]) -> tuple[JointCells | None, Draws | None]:
        """Along one axis: the cells and draws of this group, drawn together with all others of its task."""
        if len(axes) > 1:
            return None, None
        cells = self._cells(axes[0], frame.table["task"][0])
        place = cells.arms.index(frame.groups[0])
        drawn = draw_curves(
            cells,
            draws=max(self.options.bootstrap, FEWEST_DRAWS),
            seed=self.options.seed,
            options=self.options,
            form=None if self.law == AVERAGE else self.law,
        )
        return cells.only([place]), drawn.only([place])

    def _cells(self, axis: str, task: str) -> JointCells:
        """The cells of all groups of a task that have a curve along `axis`: made once for all groups."""
        if (axis, task) not in self._together:
            self._together[axis, task] = joint_cells(curves_of(self.everything, axis, task), axis)
        return self._together[axis, task]

    def _foresee(
        self, axes: tuple[str, ...], found: GroupFit, cells: JointCells | None, drawn: Draws | None
    ) -> GroupFit:
        if cells is None or drawn is None:
            others = " ".join(f"--where {axis}=VALUE" for axis in axes[:-1])
            raise InputError(
                "A forecast is made along one axis",
                found=" and ".join(axes),
                next_step=f"hold what else varies: {others}, or add it to --by",
            )
        assert self.forecast is not None
        needed = required(cells, drawn, 0, self.forecast, self.options.level)
        sizes_drawn = required_draws(cells, drawn, 0, self.forecast)
        ranked = apart(settle_forecast(cells, drawn, sizes_drawn, price=self.price))
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
