"""Several tasks in one table: a row for each task, number of images, student and teacher; a column an arm.

The numbers are those of the comparisons; nothing is averaged over tasks, since an error of one means nothing beside
that of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from azeotrope.record.kinds import PER_CLASS
from azeotrope.reporting import words
from azeotrope.reporting.numbers import Comparison, Estimate, Shown
from azeotrope.reporting.summary import STRATEGIES
from azeotrope.verdicts.verdict import Call

Cell = Callable[["TaskRow", str], str]


class TaskRow(Shown):
    """One comparison: test error by arm, the mean per-class error where it is recorded, and verdicts on `reference`."""

    task: str
    train_images: int
    student: str
    teacher: str | None
    reference: str
    winner: str | None
    error: str
    errors: dict[str, Estimate | None]
    per_class: dict[str, float]
    verdicts: dict[str, Call]


class TaskTable(Shown):
    """All rows, and all arms in the order of their columns."""

    arms: tuple[str, ...]
    rows: tuple[TaskRow, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Each task once."""
        return tuple(dict.fromkeys(row.task for row in self.rows))


def by_task(comparisons: Iterable[Comparison]) -> TaskTable:
    """The table that these comparisons make, in their order."""
    rows = tuple(_row(comparison) for comparison in comparisons)
    arms = dict.fromkeys(arm for row in rows for arm in row.errors)
    return TaskTable(arms=tuple(sorted(arms, key=_place)), rows=rows)


def table(tasks: TaskTable) -> RenderableType:
    """For a terminal: errors in per cent, the arm that validation chose in bold, verdicts as marks."""
    if not tasks.rows:
        return Text("No run of any task is recorded yet.")
    marks = "bold: chosen on validation; + beats the reference, − does not beat it; nothing: undecided"
    said: list[RenderableType] = [_grid(tasks, errors, "Test error in %")]
    if any(apart(row) for row in tasks.rows):
        said.append(_grid(tasks, per_class, "Mean per-class error on test in %"))
    return Group(*said, Text(marks, style="dim"))


def errors(row: TaskRow, arm: str) -> str:
    """The test error of an arm in per cent with the mark of its verdict; a dash where there is none."""
    found = row.errors.get(arm)
    mark = {"BEATS": "+", "DOES NOT BEAT": words.MINUS}.get(row.verdicts.get(arm, ""), "")
    return words.MISSING if found is None else f"{100 * found.value:.1f}{mark}"


def per_class(row: TaskRow, arm: str) -> str:
    """The mean per-class error of an arm in per cent."""
    return f"{100 * row.per_class[arm]:.1f}" if arm in row.per_class else words.MISSING


def apart(row: TaskRow) -> bool:
    """Whether the mean per-class error of some arm reads otherwise than its error: classes of unequal size."""
    return any(
        (found := row.errors.get(arm)) is not None and words.percent(found.value) != words.percent(share)
        for arm, share in row.per_class.items()
    )


def _row(comparison: Comparison) -> TaskRow:
    arms, reference = comparison.arms, comparison.reference
    verdicts = {arm.name: comparison.verdict(arm.name, reference) for arm in arms}
    return TaskRow(
        task=comparison.task,
        train_images=comparison.train_images,
        student=comparison.student,
        teacher=comparison.teacher.name if comparison.teacher else None,
        reference=reference,
        winner=comparison.winner,
        error=words.error_word(comparison),
        errors={arm.name: arm.test_error for arm in arms},
        per_class={arm.name: arm.metrics[PER_CLASS] for arm in arms if PER_CLASS in arm.metrics},
        verdicts={name: verdict.verdict for name, verdict in verdicts.items() if verdict is not None},
    )


def _place(arm: str) -> tuple[int, str]:
    """Baselines before what is tested, as on every page."""
    strategy = arm.partition(":")[0].partition("@")[0].partition("+")[0].partition(",")[0]
    return (STRATEGIES.index(strategy) if strategy in STRATEGIES else len(STRATEGIES)), arm


def _grid(tasks: TaskTable, cell: Cell, title: str) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), title=title, title_justify="left")
    for name in ("task", "images", "student", "teacher"):
        grid.add_column(name, overflow="fold", justify="right" if name == "images" else "left")
    for arm in tasks.arms:
        grid.add_column(Text(arm), overflow="fold", justify="right")
    for row in tasks.rows:
        facts = (row.task, f"{row.train_images:,}", row.student, row.teacher or words.MISSING)
        cells = (Text(cell(row, arm), style="bold" if arm == row.winner else "") for arm in tasks.arms)
        grid.add_row(*(Text(fact) for fact in facts), *cells)
    return grid
