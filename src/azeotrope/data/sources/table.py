"""A CSV, TSV or Parquet table with one image a row: a path or URL, its label and, if you like, a split.

Paths are relative to the table's folder; URLs (with `://`) are opened by fsspec. Where a `classes.txt` (one class a
line) lies beside the table, it is the list of classes and every label must be in it; otherwise the labels in the table
are the classes. Labels are text: "007" stays so. How they are read is in `_labels`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import polars as pl

from azeotrope.data.sources._labels import Table, complete, one_column, read_labels
from azeotrope.data.sources._source import Item, Source, split_of
from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec

PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "url")
_SPLIT_COLUMN = "split"
_CLASSES_FILE = "classes.txt"


def open_source(name: str) -> Source:
    """The images listed in the table `name` (a path or URL). Raises InputError when a column, a path or a label is
    missing.
    """
    return open_labelled(name, ONE_CLASS)


def open_labelled(name: str, labels: LabelSpec) -> Source:
    """The same with the labels that are asked for: one class an image, several, or a number."""
    content = _read_table(name)
    table = Table(content, tuple(column for column in content.columns if _is_other(column)), name)
    paths = complete(table, one_column(table, PATH_COLUMNS, "paths"))
    listed = () if labels.kind == "number" else _listed_classes(name)
    read = read_labels(replace(table, listed=listed), labels)
    if labels.kind != "single":
        _refuse_parts(table, paths, read.labels)
    items = tuple(
        Item(path, label, split_of(split, table.where(place).replace("row", "Row", 1)))
        for place, (path, label, split) in enumerate(zip(paths, read.labels, _splits(table), strict=True))
    )
    return Source(
        PurePosixPath(name).stem,
        read.classes,
        items,
        lambda place: _fetch(_beside(name, paths[place])),
        kind=labels.kind,
        unit=labels.unit,
    )


def _is_other(column: str) -> bool:
    """Whether a column is about something else than labels."""
    return column.strip().lower() in (*PATH_COLUMNS, _SPLIT_COLUMN)


def _splits(table: Table) -> list[str | None]:
    """What the column of splits says of each row, where there is one."""
    if not any(column.strip().lower() == _SPLIT_COLUMN for column in table.content.columns):
        return [None] * table.content.height
    return table.content[one_column(table, (_SPLIT_COLUMN,), "splits")].to_list()


def _refuse_parts(table: Table, paths: Sequence[str], labels: Sequence[Any]) -> None:
    """Rows of one image with a label each, or with the values of several raters: one of them would be kept in silence,
    since each image counts once (`data.split`).
    """
    said = [frozenset(label) if isinstance(label, tuple) else label for label in labels]
    first: dict[str, int] = {}
    for place, path in enumerate(paths):
        earlier = first.setdefault(path, place)
        if said[place] != said[earlier]:
            raise InputError(
                "An image stands in one row, with all that is said of it",
                found=f"{path!r} with other labels in {table.where(earlier)} and {table.where(place)}",
                next_step="join its labels in one cell (cat;dog), or keep one value an image",
            )


def _read_table(name: str) -> pl.DataFrame:
    """Every column as text."""
    try:
        content = _fetch(name)
        if name.lower().endswith(".parquet"):
            return _as_text(pl.read_parquet(content), name)
        separator = "\t" if name.lower().endswith(".tsv") else ","
        return pl.read_csv(content, infer_schema=False, separator=separator)
    except FileNotFoundError as error:
        raise InputError(f"There is no table {name}", next_step="check the path") from error
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"The table {name} cannot be read",
            found=str(error).splitlines()[0] if str(error) else type(error).__name__,
            allowed="CSV or TSV in UTF-8 with a header line, or Parquet",
            next_step="open it in a text editor or write it again",
        ) from error


def _as_text(content: pl.DataFrame, name: str) -> pl.DataFrame:
    """Raises InputError for a column that holds more than one value a row."""
    for column, dtype in content.schema.items():
        if dtype.is_nested():
            what = "records of several fields" if isinstance(dtype, pl.Struct) else "lists"
            raise InputError(
                f"Every column of the table {name} must hold one value a row",
                found=f"column {column!r} holds {what}",
                next_step="join its labels into one text (cat;dog), or remove the column",
            )
    return content.with_columns(pl.all().cast(pl.String))


def _listed_classes(name: str) -> tuple[str, ...]:
    """The lines of `classes.txt`, or nothing when there is no such file. Raises InputError when it is not UTF-8."""
    path = _beside(name, _CLASSES_FILE)
    try:
        text = _fetch(path).decode("utf-8-sig")  # some editors begin a file with a mark that is no part of a name
    except OSError:
        return ()
    except UnicodeDecodeError as error:
        raise InputError(
            f"The list of classes {path} cannot be read",
            found=f"byte {error.start + 1} is not UTF-8",
            allowed="text in UTF-8, one class a line",
            next_step="save it as UTF-8 in a text editor",
        ) from error
    return tuple(dict.fromkeys(line for line in text.splitlines() if line.strip()))


def _beside(name: str, path: str) -> str:
    """Where the table's `path` leads: itself when it is a URL or absolute, else relative to the table."""
    if "://" in path or path.startswith("/"):
        return path
    folder, slash, _ = name.rpartition("/")
    return f"{folder}{slash}{path}"


def _fetch(url: str) -> bytes:
    """Raises OSError for whatever the file system or the network could not do."""
    try:
        if "://" not in url:  # fsspec would take a `::` in a file name for a chain of file systems
            return Path(os.path.expanduser(url)).read_bytes()  # noqa: PTH111 (Path.expanduser refuses ~a.png)
        with fsspec.open(url, "rb") as file:
            content: bytes = file.read()
    except OSError:
        raise
    except Exception as error:  # every protocol has exceptions of its own, and not all of them are OSError
        raise OSError(f"{type(error).__name__}: {error}") from error
    return content
