"""One class of a comparison: how each arm fares on it, what it is taken for, and pictures of the surest mistakes.

Numbers first (`of_class`), then a terminal table and a page. Names are escaped and never part of a path.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from azeotrope.diagnosis.records import ClassDifference, ClassNumbers, Confused, Threshold
from azeotrope.errors import InputError
from azeotrope.lookup import nearest, some
from azeotrope.record.interval import Interval
from azeotrope.reporting.document import Document, Mistake
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.words import MISSING, percent

SHOWN = 8  # other classes that it is confused with


@dataclass(frozen=True)
class ArmOnClass:
    """One arm on the class: `taken_for` are answers on its images, `taken` the classes whose images are called it."""

    arm: str
    numbers: ClassNumbers
    taken_for: tuple[Confused, ...]
    taken: tuple[Confused, ...]
    threshold: Threshold | None


@dataclass(frozen=True)
class OneClass:
    """What a report says of one class; `number` is its place among the classes, from 1, and names its page."""

    name: str
    number: int
    arms: tuple[ArmOnClass, ...]
    difference: ClassDifference | None
    of: tuple[str, str] | None
    mistakes: tuple[Mistake, ...]


def of_class(document: Document, name: str) -> OneClass:
    """The class of that name in the last comparison. Raises InputError where there is none, or no stored answers."""
    comparison = document.comparisons[-1]
    if comparison.kind == "number":
        raise InputError("A task with a number has no classes", found=f"--class {name}", next_step="leave --class out")
    if name not in comparison.classes:
        near = nearest(name, comparison.classes)
        raise InputError(
            f"The task {comparison.task} has no class {name!r}",
            allowed=f"nearest: {', '.join(near)}" if near else some(comparison.classes),
            next_step="correct --class",
        )
    if comparison.diagnosis is None:
        raise InputError(
            "A page of one class needs the answers that runs leave beside their records",
            found="no predictions/test_set.npz in this store: its runs are older, or come from a table",
            next_step="make the runs again into a new folder",
        )
    between = next(iter(comparison.diagnosis.between), None)
    difference = next((row for row in between.classes if row.name == name), None) if between else None
    return OneClass(
        name=name,
        number=comparison.classes.index(name) + 1,
        arms=_arms(comparison, name),
        difference=difference,
        of=(between.a, between.b) if between and difference else None,
        mistakes=tuple(one for one in document.mistakes if name in (one.label, one.answer)),
    )


def _arms(comparison: Comparison, name: str) -> tuple[ArmOnClass, ...]:
    assert comparison.diagnosis is not None
    place, found = comparison.classes.index(name), []
    for arm in comparison.diagnosis.arms:
        taken_for, taken = _confused(arm.confusion, comparison.classes, place) if arm.confusion else ((), ())
        if not arm.confusion:
            taken_for = tuple(pair for pair in arm.confused if pair.label == name)
            taken = tuple(pair for pair in arm.confused if pair.answer == name)
        threshold = next((each for each in arm.thresholds if each.name == name), None)
        found.append(ArmOnClass(arm.arm, arm.classes[place], taken_for[:SHOWN], taken[:SHOWN], threshold))
    return tuple(found)


def _confused(
    counts: tuple[tuple[float, ...], ...], names: tuple[str, ...], place: int
) -> tuple[tuple[Confused, ...], tuple[Confused, ...]]:
    """Who it is taken for, and who is taken for it, most images first."""

    def pair(a: int, b: int) -> Confused:
        images = counts[a][b]
        return Confused(label=names[a], answer=names[b], images=images, share=images / max(sum(counts[a]), 1e-9))

    others = [other for other in range(len(names)) if other != place]
    out = sorted((pair(place, other) for other in others), key=lambda each: -each.images)
    into = sorted((pair(other, place) for other in others), key=lambda each: -each.images)
    return tuple(each for each in out if each.images), tuple(each for each in into if each.images)


def interval(found: Interval | None) -> str:
    """Like "83.0 % [79.1, 86.4]"; a dash where nothing can be said."""
    if found is None:
        return MISSING
    return f"{percent(found.value)} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def difference(found: Interval) -> str:
    """In points, with its sign."""
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def pairs(found: tuple[Confused, ...], *, by_label: bool) -> str:
    """Like "shirt 12.3, pullover 4": classes with the images a run."""
    return ", ".join(f"{each.label if by_label else each.answer} {each.images:.3g}" for each in found) or MISSING


def text(found: OneClass) -> RenderableType:
    """The class in a terminal: one row an arm, then what it is taken for."""
    support = found.arms[0].numbers.support if found.arms else 0
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("arm", overflow="fold")
    for title in ("recall, 95 %", "precision", "F1"):
        grid.add_column(title, justify="right", no_wrap=True)
    for arm in found.arms:
        three = (arm.numbers.recall, arm.numbers.precision, arm.numbers.f1)
        grid.add_row(Text(arm.arm), *(Text(interval(each)) for each in three))
    parts: list[RenderableType] = [Text(f"{found.name}: {support:,} test images", style="bold"), Text(), grid, Text()]
    for arm in found.arms:
        if arm.taken_for or arm.taken:
            parts.append(Text(f"{arm.arm}: taken for {pairs(arm.taken_for, by_label=False)} (images a run)"))
            parts.append(Text(f"{arm.arm}: called so but {pairs(arm.taken, by_label=True)}"))
        if arm.threshold:
            parts.append(Text(f"{arm.arm}: {threshold(arm.threshold)}"))
    if found.difference and found.of:
        parts.append(Text(f"Recall of {found.of[0]} against {found.of[1]}: {difference(found.difference.recall)}"))
    parts += [
        Text(
            f"{one.name}: labelled {one.label}, all runs together say {one.answer} ({percent(one.probability)})",
            style="dim",
        )
        for one in found.mistakes[:SHOWN]
    ]
    return Group(*parts)


def threshold(found: Threshold) -> str:
    """What the chosen threshold does."""
    return (
        f"said to be there above {found.threshold:.2f} (chosen on validation): F1 {interval(found.f1)}; above one half "
        f"{interval(found.f1_at_half)}"
    )
