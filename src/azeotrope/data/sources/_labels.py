"""Labels out of a table's columns of text: one class a row, several, or a number; refused when they contradict.

Nothing is guessed that could be wrong in silence: a column of numbers is a column of classes unless a number was asked
for, and several labels are read only where several were asked for.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from azeotrope.data.sources._columns import no_one_column, require_column
from azeotrope.data.sources._names import reconciled
from azeotrope.data.sources._source import class_index
from azeotrope.data.sources._splits import plain
from azeotrope.errors import InputError
from azeotrope.kinds.multi import SEPARATOR
from azeotrope.labels import KindName, LabelSpec

LABEL_COLUMNS = ("label", "class", "category", "target")
SEVERAL = ("labels", "classes", "tags", *LABEL_COLUMNS)
VALUES = ("value", "number", *LABEL_COLUMNS)
_ANSWERS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
_OPTION = "--label-column"
_OTHER_SEPARATORS = ";|,"
_HEADER_ROW = 1  # so that the row numbers in messages are those of an editor or a spreadsheet


@dataclass(frozen=True)
class Labelled:
    """Names of the outputs, the label of each row, and what to tell of how they were read."""

    classes: tuple[str, ...]
    labels: Sequence[Any]
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of text, the columns of it that are not about labels, its name, and the classes that were listed for it
    in `classes_file` (none: those that occur).
    """

    content: pl.DataFrame
    others: tuple[str, ...]
    name: str
    listed: tuple[str, ...] = ()
    classes_file: str = ""

    def where(self, place: int) -> str:
        """A row as a person finds it."""
        return f"row {place + 1 + _HEADER_ROW} of {self.name}"


def read_labels(table: Table, spec: LabelSpec) -> Labelled:
    """The labels that `spec` asks for. Raises InputError when the table does not hold them."""
    return _READERS[spec.kind](table, spec)


def label_columns(table: Table, spec: LabelSpec) -> tuple[str, ...]:
    """The columns that hold labels by their name: the one that was named, else those of a usual name."""
    if spec.column is not None:
        return (require_column(table.content, table.name, spec.column, _OPTION),)
    usual = {"single": LABEL_COLUMNS, "multi": SEVERAL, "number": VALUES}[spec.kind]
    return tuple(column for column in table.content.columns if plain(column) in usual)


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
    column = _chosen(table, spec, LABEL_COLUMNS, "labels")
    labels = complete(table, column)
    meant, words = reconciled((*labels, *table.listed))
    classes = tuple(dict.fromkeys(meant[name] for name in table.listed)) or sorted_classes(set(meant.values()))
    several = next((label for label in labels if _listed_as_text(label) is not None or ";" in label), None)
    if several is not None:
        words = (
            *words,
            f"Labels such as {several!r} were read as one class each; several labels an image: --kind multi.",
        )
    index = class_index([meant[label] for label in labels], classes, table.where, table.classes_file)
    return Labelled(classes, index, words)


def _multi(table: Table, spec: LabelSpec) -> Labelled:
    """From one column in which labels are separated, or, where none has a name of such a column, from a column of 0 and
    1 for each class.
    """
    named = label_columns(table, spec)
    if not named:
        return _answers(table, spec)
    return _separated(table, _chosen(table, spec, SEVERAL, "labels"), spec.separator)


def _chosen(table: Table, spec: LabelSpec, usual: Sequence[str], what: str) -> str:
    """The one column of labels. Raises InputError where there is none, or several."""
    named = label_columns(table, spec)
    if len(named) == 1:
        return named[0]
    raise no_one_column(table.content, table.name, usual, what, _OPTION)


def _separated(table: Table, column: str, asked: str | None) -> Labelled:
    separator, cells = asked or SEPARATOR, [value or "" for value in table.content[column].to_list()]
    lists = [_listed_as_text(cell) for cell in cells]
    words: tuple[str, ...] = ()
    if (
        asked is None
        and any(lists)
        and all(found is not None or not cell for found, cell in zip(lists, cells, strict=True))
    ):
        rows = [found or [] for found in lists]
        words = (f"Labels were read as the lists that column {column!r} holds as text.",)
    else:
        rows = [[part.strip() for part in cell.split(separator) if part.strip()] for cell in cells]
    if asked is None and not words and all(len(row) < 2 for row in rows):
        _refuse_other_separator(table, column, cells, separator)
    meant, more = reconciled((*(label for row in rows for label in row), *table.listed))
    rows = [list(dict.fromkeys(meant[label] for label in row)) for row in rows]
    classes = tuple(dict.fromkeys(meant[name] for name in table.listed)) or sorted_classes(
        {x for row in rows for x in row}
    )
    if not classes:
        raise InputError(
            f"No row of {table.name} has a label",
            found=f"nothing but empty cells in column {column!r}",
            next_step="name the column of labels with --label-column",
        )
    index = [
        tuple(class_index(row, classes, lambda _, place=place: table.where(place), table.classes_file))  # type: ignore[misc]
        for place, row in enumerate(rows)
    ]
    return Labelled(classes, index, (*words, *more))


def _listed_as_text(cell: str) -> list[str] | None:
    """The labels of a list that a program wrote as text (['a', 'b'], ["a"], {'a'}); None for anything else."""
    if cell.strip()[:1] not in ("[", "(", "{"):
        return None
    try:
        found = ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(found, list | tuple | set) or not all(isinstance(label, str | int) for label in found):
        return None
    return [str(label) for label in found]


def _refuse_other_separator(table: Table, column: str, cells: Sequence[str], separator: str) -> None:
    """No row has two labels. That may be, but not where something else seems to stand between them: one of the usual
    signs, or a space between words that are labels themselves.
    """
    for other in _OTHER_SEPARATORS:
        for place, cell in enumerate(cells):
            if other != separator and other in cell:
                raise _separated_otherwise(table, column, place, separator, other)
    single = {cell.strip() for cell in cells}
    for place, cell in enumerate(cells):
        if len(parts := cell.split()) > 1 and all(part in single for part in parts[:1]):
            raise _separated_otherwise(table, column, place, separator, " ")


def _separated_otherwise(table: Table, column: str, place: int, separator: str, other: str) -> InputError:
    return InputError(
        f"Labels of one image are separated by {separator!r}, and no row of {table.name} has two",
        found=f"{table.content[column][place]!r} in column {column!r}, {table.where(place)}",
        next_step=f"say --separator '{other}' if that is what separates labels, "
        f"or --separator '{separator}' if each is one label",
    )


def _answers(table: Table, spec: LabelSpec) -> Labelled:
    classes = tuple(column for column in table.content.columns if column not in table.others)
    if spec.separator is not None or not classes:
        raise no_one_column(table.content, table.name, SEVERAL, "labels", _OPTION)
    columns = [_yes_or_no(table, column) for column in classes]
    labels = [tuple(i for i, yes in enumerate(row) if yes) for row in zip(*columns, strict=True)]
    return Labelled(tuple(name.strip() for name in classes), labels)


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
    column = _chosen(table, spec, VALUES, "values")
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


def sorted_classes(labels: set[str]) -> tuple[str, ...]:
    """Numbers by value, so that "2" comes before "10"; anything else as text."""
    if all(label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


_READERS: dict[KindName, Callable[[Table, LabelSpec], Labelled]] = {
    "single": _single,
    "multi": _multi,
    "number": _number,
}
