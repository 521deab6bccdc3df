"""Labels out of a table's columns of text: one class a row, several, or a number; refused when they contradict.

Nothing is guessed that could be wrong in silence: a column of numbers is a column of classes unless a number was asked
for, and several labels are read only where several were asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from azeotrope.data.sources._source import class_index
from azeotrope.errors import InputError
from azeotrope.kinds.multi import SEPARATOR
from azeotrope.labels import KindName, LabelSpec
from azeotrope.lookup import nearest

LABEL_COLUMNS = ("label", "class", "category", "target")
SEVERAL = ("labels", "classes", "tags", *LABEL_COLUMNS)
VALUES = ("value", "number", *LABEL_COLUMNS)
_ANSWERS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
_OTHER_SEPARATORS = ";|,"
_HEADER_ROW = 1  # so that the row numbers in messages are those of an editor or a spreadsheet


@dataclass(frozen=True)
class Labelled:
    """Names of the outputs, and the label of each row."""

    classes: tuple[str, ...]
    labels: Sequence[Any]


@dataclass(frozen=True)
class Table:
    """A table of text, the columns of it that are not about labels, its name, and the classes that were listed for it
    (none: those that occur).
    """

    content: pl.DataFrame
    others: tuple[str, ...]
    name: str
    listed: tuple[str, ...] = ()

    def where(self, place: int) -> str:
        """A row as a person finds it."""
        return f"row {place + 1 + _HEADER_ROW} of {self.name}"


def read_labels(table: Table, spec: LabelSpec) -> Labelled:
    """The labels that `spec` asks for. Raises InputError when the table does not hold them."""
    return _READERS[spec.kind](table, spec)


def one_column(table: Table, names: Sequence[str], what: str) -> str:
    """The one column with one of these names. Raises InputError when there is none, or several."""
    found = [column for column in table.content.columns if column.strip().lower() in names]
    if len(found) == 1:
        return found[0]
    raise InputError(
        f"The table {table.name} must have exactly one column of {what}",
        found=f"columns {', '.join(table.content.columns)}",
        allowed=f"one named {', '.join(names)}",
        next_step="rename or remove columns",
    )


def complete(table: Table, column: str) -> list[str]:
    """The column's values, none of which may be missing."""
    values: list[str | None] = table.content[column].to_list()
    missing = [place + 1 + _HEADER_ROW for place, value in enumerate(values) if value is None or not value.strip()]
    if missing or not values:
        raise InputError(
            f"Every row of {table.name} needs a {column}",
            found=f"{len(missing)} of {len(values)} rows without one: row {', '.join(map(str, missing[:10]))}"
            if missing
            else "no rows",
            next_step="fill them in or remove these rows",
        )
    return [value for value in values if value is not None]


def _single(table: Table, spec: LabelSpec) -> Labelled:
    labels = complete(table, _named(table, spec.column) or one_column(table, LABEL_COLUMNS, "labels"))
    classes = table.listed or _sorted_classes(set(labels))
    return Labelled(classes, class_index(labels, classes, table.where))


def _multi(table: Table, spec: LabelSpec) -> Labelled:
    """From one column in which labels are separated, or, where none has a name of such a column, from a column of 0 and
    1 for each class.
    """
    column = _named(table, spec.column)
    if column is None and any(name.strip().lower() in SEVERAL for name in table.content.columns):
        column = one_column(table, SEVERAL, "labels")
    return _answers(table, spec) if column is None else _separated(table, column, spec.separator or SEPARATOR)


def _separated(table: Table, column: str, separator: str) -> Labelled:
    cells = [value or "" for value in table.content[column].to_list()]
    rows = [[part.strip() for part in cell.split(separator) if part.strip()] for cell in cells]
    if all(len(row) < 2 for row in rows):
        _refuse_other_separator(table, column, cells, separator)
    classes = table.listed or _sorted_classes({label for row in rows for label in row})
    if not classes:
        raise InputError(
            f"No row of {table.name} has a label",
            found=f"nothing but empty cells in column {column!r}",
            next_step="name the column of labels with --label-column",
        )
    index = [class_index(row, classes, lambda _, place=place: table.where(place)) for place, row in enumerate(rows)]  # type: ignore[misc]
    return Labelled(classes, [tuple(row) for row in index])


def _refuse_other_separator(table: Table, column: str, cells: Sequence[str], separator: str) -> None:
    """No row has two labels. That may be, but not where something else seems to stand between them."""
    for other in _OTHER_SEPARATORS:
        for place, cell in enumerate(cells):
            if other != separator and other in cell:
                raise InputError(
                    f"Labels of one image are separated by {separator!r}, and no row of {table.name} has two",
                    found=f"{cell!r} in column {column!r}, {table.where(place)}",
                    next_step=f"say --separator '{other}' if that is what separates labels, or rename the classes",
                )


def _answers(table: Table, spec: LabelSpec) -> Labelled:
    classes = tuple(column for column in table.content.columns if column not in table.others)
    if spec.separator is not None or not classes:
        one_column(table, SEVERAL, "labels")  # raises: it says what such a column may be called
    columns = [_yes_or_no(table, column) for column in classes]
    return Labelled(classes, [tuple(i for i, yes in enumerate(row) if yes) for row in zip(*columns, strict=True)])


def _yes_or_no(table: Table, column: str) -> list[bool]:
    cells = complete(table, column)
    for place, cell in enumerate(cells):
        if cell.strip().lower() not in _ANSWERS:
            raise InputError(
                "Without a column of labels, every column but path and split is a class, of 0 and 1",
                found=f"{cell!r} in column {column!r}, {table.where(place)}",
                allowed="0 or 1, or a column of labels named " + ", ".join(SEVERAL),
                next_step="remove columns that are no classes, or name the column of labels with --label-column",
            )
    return [_ANSWERS[cell.strip().lower()] for cell in cells]


def _number(table: Table, spec: LabelSpec) -> Labelled:
    column = _named(table, spec.column) or one_column(table, VALUES, "values")
    cells = complete(table, column)
    return Labelled((column,), [_value(cell, column, table, place) for place, cell in enumerate(cells)])


def _value(cell: str, column: str, table: Table, place: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"With kind number every value of column {column!r} must be a number",
            found=f"{cell!r}, {table.where(place)}",
            allowed="finite numbers, with a point for the decimals",
            next_step="correct or remove these rows, name another column with --label-column, or leave --kind out: "
            "values are then classes",
        )
    return value


def _named(table: Table, column: str | None) -> str | None:
    """The column that the user named. Raises InputError when there is none of that name."""
    if column is not None and column not in table.content.columns:
        near = nearest(column, table.content.columns)
        raise InputError(
            f"The table {table.name} has no column {column!r}",
            found=f"columns {', '.join(table.content.columns)}",
            allowed=f"nearest: {', '.join(near)}" if near else "",
            next_step="correct --label-column",
        )
    return column


def _sorted_classes(labels: set[str]) -> tuple[str, ...]:
    """Numbers by value, so that "2" comes before "10"; anything else as text."""
    if all(label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


_READERS: dict[KindName, Callable[[Table, LabelSpec], Labelled]] = {
    "single": _single,
    "multi": _multi,
    "number": _number,
}
