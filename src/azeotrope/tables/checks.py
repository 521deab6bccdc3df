"""Do these runs hold enough sizes and seeds to say anything? Refuses what cannot be answered, warns of what is weak.

It looks at the design of the runs only, never at their errors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from azeotrope.errors import InputError, NotIdentifiable
from azeotrope.tables.columns import AXES
from azeotrope.tables.frame import RunFrame

_LISTED = 12
"""Sizes that an error names."""
FEWEST_SIZES = 3
ENOUGH_SIZES = 5
SMALLEST_SPAN = 2.0


def check_axis(axis: str) -> None:
    """Raises InputError for a name that is none of the axes."""
    if axis not in AXES:
        raise InputError(
            f"There is no axis named {axis!r}",
            found=axis,
            allowed=", ".join(AXES),
            next_step="choose one with --axis",
        )


def sizes(frame: RunFrame, axis: str) -> NDArray[np.float64]:
    """The distinct sizes along `axis`, rising; zeros (no pretraining) have no place on a log axis and are left out.

    Raises InputError when the axis is unknown or these runs do not give it.
    """
    check_axis(axis)
    if frame.table[axis].null_count():
        raise InputError(
            f"Every run must give {axis}",
            found=f"{frame.table[axis].null_count()} of {frame.table.height} runs without it",
            next_step=f"say which column it is: --x {axis}=YOUR_COLUMN",
        )
    values = frame.table[axis].unique().sort().to_numpy()
    return np.asarray(values[values > 0], dtype=float)


def check_sizes(frame: RunFrame, axis: str) -> tuple[str, ...]:
    """Warnings about one group's design along `axis`.

    Raises NotIdentifiable below 3 sizes, or when the sizes span less than a factor 2: no slope can be told from noise.
    """
    name, found = ", ".join(frame.groups), sizes(frame, axis)
    listed = ", ".join(f"{size:g}" for size in found) or "none"
    if len(found) < FEWEST_SIZES:
        raise NotIdentifiable(
            f"A law needs at least {FEWEST_SIZES} sizes of {axis}",
            found=f"{len(found)} for {name!r} ({listed})",
            allowed=f"{FEWEST_SIZES} or more; {ENOUGH_SIZES} log-spaced are good, 7 ideal",
            next_step=f"add runs at other {axis}{_or_hold(frame, axis)}",
        )
    if found[-1] < SMALLEST_SPAN * found[0]:
        raise NotIdentifiable(
            f"Sizes of {axis} must span at least a factor {SMALLEST_SPAN:g}",
            found=f"{found[0]:g} to {found[-1]:g} for {name!r}",
            allowed=f"largest >= {SMALLEST_SPAN:g} x smallest; a factor 30 is good",
            next_step=f"add runs at smaller or larger {axis}",
        )
    warnings = []
    if len(found) < ENOUGH_SIZES:
        warnings.append(f"{name}: {len(found)} sizes of {axis} only; {ENOUGH_SIZES} or more make the law testable")
    if int(frame.table.group_by(*AXES).len()["len"].max() or 0) < 2:  # type: ignore[arg-type]  # len is an integer column
        missing = "one seed a size, so noise is judged from the fit's misses, or taken as 3 % where the fit has none"
        warnings.append(f"{name}: {missing}")
    return tuple(warnings)


def _or_hold(frame: RunFrame, axis: str) -> str:
    """With a second axis there is another way: to take this one apart."""
    return f", or keep one with --where {axis}=VALUE, or add {axis} to --by" if len(frame.axes) > 1 else ""


def check_one_curve(frame: RunFrame, axis: str) -> None:
    """One group must be one curve along `axis`: the other axes constant. Raises InputError."""
    check_axis(axis)
    for other in AXES:
        values = frame.table[other].unique().sort().to_list()
        if other != axis and len(values) > 1:
            raise InputError(
                f"Along {axis}, {other} must be constant in each group",
                found=f"{', '.join('none' if v is None else f'{v:g}' for v in values[:8])} in {frame.groups[0]!r}",
                next_step=f"keep one with --where {other}=VALUE, or add {other} to --by",
            )


def common_sizes(a: RunFrame, b: RunFrame, axis: str) -> NDArray[np.float64]:
    """Sizes at which both groups have runs. Raises NotIdentifiable when there are none."""
    common = np.intersect1d(sizes(a, axis), sizes(b, axis))
    if not len(common):
        raise NotIdentifiable(
            f"Two arms must share sizes of {axis} to be compared",
            found=f"{_span(a, axis)}; {_span(b, axis)}",
            allowed=f"at least {FEWEST_SIZES} sizes with runs of both",
            next_step="run each arm at the other's sizes, with the same seeds",
        )
    return common


def _span(frame: RunFrame, axis: str) -> str:
    distinct = np.unique(sizes(frame, axis))
    more = f" and {len(distinct) - _LISTED:,} more" if len(distinct) > _LISTED else ""
    return f"{', '.join(frame.groups)} at " + ", ".join(f"{size:g}" for size in distinct[:_LISTED]) + more
