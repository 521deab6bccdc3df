"""Along which sizes the runs of a group differ, and which laws are formulas in them."""

from __future__ import annotations

from collections.abc import Mapping

from azeotrope.analysis.options import AVERAGE
from azeotrope.curves.fitted.applicable_laws import default_forms, is_in, takes
from azeotrope.errors import InputError, NotIdentifiable
from azeotrope.fitting.result import GroupFit
from azeotrope.laws._law import Law
from azeotrope.laws._law import law as law_of
from azeotrope.tables.checks import sizes
from azeotrope.tables.columns import AXES
from azeotrope.tables.frame import RunFrame

_ORDER = ("parameters", "pretrain_images", "train_images")


def axes_of(frame: RunFrame) -> tuple[str, ...]:
    """The axes along which the runs of a group differ, in the order of the laws: model, pretraining, data.

    Raises InputError when some runs lack a size, NotIdentifiable when none varies.
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
    return axes


def common_axes(frame: RunFrame, groups: Mapping[str, GroupFit]) -> tuple[str, ...]:
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
