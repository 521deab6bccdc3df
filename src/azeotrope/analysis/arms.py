"""Which two arms a boundary lies between, whether their runs can say so, and the difference that counts as none."""

from __future__ import annotations

from collections.abc import Sequence

from azeotrope.curves.level import is_level
from azeotrope.errors import AzeotropeError, InputError
from azeotrope.tables.checks import FEWEST_SIZES, check_one_curve, check_sizes, common_sizes
from azeotrope.tables.frame import RunFrame


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


def curves_of(frame: RunFrame, axis: str, task: str) -> list[RunFrame]:
    """The groups of one task that are curves along `axis`, or level along it: what is drawn together, whoever asks.

    Every command draws the same arms, so that all print the same number for the same question.
    """
    found = []
    for name in frame.groups:
        one = frame.only(name)
        if set(one.table["task"]) == {task} and _is_curve(one, axis):
            found.append(one)
    return found


def _is_curve(frame: RunFrame, axis: str) -> bool:
    try:
        check_one_curve(frame, axis)
        if not is_level(frame, axis):
            check_sizes(frame, axis)
    except AzeotropeError:
        return False
    return True


def practical_difference(arms: Sequence[RunFrame], practical: float) -> float:
    """The difference that counts as none, in the unit of the errors: the user's number, of a loss a share of the
    lowest.
    """
    if arms[0].bounded:
        return practical
    return practical * min(float(arm.table["error"].min()) for arm in arms)  # type: ignore[arg-type]  # numbers


def check_arms(arms: Sequence[RunFrame], axis: str) -> list[str]:
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


def check_practical(practical: float) -> None:
    """Raises InputError for a difference that is no fraction of error."""
    if not 0 <= practical < 1:
        raise InputError(
            "The difference that counts as none is a fraction of error",
            found=f"{practical:g}",
            allowed="for half a point, 0.005",
            next_step="correct --practical",
        )
