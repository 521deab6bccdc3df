"""A CSV, TSV or Parquet table with one image a row: a path or URL, a label and, if you like, a split.

Paths are relative to the table's folder; URLs (with `://`) are opened by fsspec. Where a `classes.txt` (one class a
line) lies beside the table, it is the list of classes and every label must be in it; otherwise the labels in the table
are the classes. Labels are text: "007" stays so.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import fsspec
import polars as pl

from azeotrope.data.sources._source import Item, Source, class_index, split_of
from azeotrope.errors import InputError

PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "url")
LABEL_COLUMNS = ("label", "class", "category", "target")
_CLASSES_FILE = "classes.txt"
_HEADER_ROW = 1  # so that the row numbers in messages are those of an editor or a spreadsheet


def open_source(name: str) -> Source:
    """The images listed in the table `name` (a path or URL). Raises InputError when a column, a path or a label is
    missing.
    """
    table = _read_table(name)
    paths = _complete(table, _column(table, PATH_COLUMNS, name), name)
    labels = _complete(table, _column(table, LABEL_COLUMNS, name), name)
    splits = table["split"].to_list() if "split" in table.columns else [None] * len(paths)
    classes = _listed_classes(name) or _sorted_classes(set(labels))
    numbers = class_index(labels, classes, lambda place: f"row {place + 1 + _HEADER_ROW} of {name}")
    items = tuple(
        Item(path, number, split_of(split, f"Row {place + 1 + _HEADER_ROW} of {name}"))
        for place, (path, number, split) in enumerate(zip(paths, numbers, splits, strict=True))
    )
    return Source(PurePosixPath(name).stem, classes, items, lambda place: _fetch(_beside(name, paths[place])))


def _read_table(name: str) -> pl.DataFrame:
    """Every column as text."""
    try:
        content = _fetch(name)
        if name.lower().endswith(".parquet"):
            return pl.read_parquet(content).with_columns(pl.all().cast(pl.String))
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


def _column(table: pl.DataFrame, names: tuple[str, ...], where: str) -> str:
    found = [column for column in table.columns if column.strip().lower() in names]
    if len(found) == 1:
        return found[0]
    raise InputError(
        f"The table {where} must have exactly one column of {'paths' if names is PATH_COLUMNS else 'labels'}",
        found=f"columns {', '.join(table.columns)}",
        allowed=f"one named {', '.join(names)}",
        next_step="rename or remove columns",
    )


def _complete(table: pl.DataFrame, column: str, where: str) -> list[str]:
    """The column's values, none of which may be missing."""
    values: list[str | None] = table[column].to_list()
    missing = [place + 1 + _HEADER_ROW for place, value in enumerate(values) if value is None or not value.strip()]
    if missing or not values:
        raise InputError(
            f"Every row of {where} needs a {column}",
            found=f"{len(missing)} of {len(values)} rows without one: row {', '.join(map(str, missing[:10]))}"
            if missing
            else "no rows",
            next_step="fill them in or remove these rows",
        )
    return [value for value in values if value is not None]


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


def _sorted_classes(labels: set[str]) -> tuple[str, ...]:
    """Numbers by value, so that "2" comes before "10"; anything else as text."""
    if all(label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


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
