"""A CSV, TSV or Parquet table with one image a row: a path or URL, its label and, if you like, a split.

Paths are relative to the table's folder; URLs (with `://`) are opened by fsspec. Where a `classes.txt` (one class a
line) lies beside the table, it is the list of classes and every label must be in it; otherwise the labels in the table
are the classes. Labels are text: "007" stays so. How bytes become columns is in `_reading`, which column is what in
`_columns`, how labels are read in `_labels`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from azeotrope.data.address import fetched
from azeotrope.data.sources._columns import known_columns
from azeotrope.data.sources._groups import with_groups
from azeotrope.data.sources._labels import Table, complete, label_columns, read_labels
from azeotrope.data.sources._names import on_disk, text_of
from azeotrope.data.sources._reading import read_table
from azeotrope.data.sources._source import Item, Source, Stamp, stamp_of
from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec

TAKES = ("kind", "column", "separator", "unit", "path_column", "split_column", "group", "group_by")
_CLASSES_FILE = "classes.txt"
_TRIED = 50  # paths that are looked for, to tell a table whose paths all lead nowhere


def open_source(name: str) -> Source:
    """The images listed in the table `name` (a path or URL). Raises InputError when a column, a path or a label is
    missing.
    """
    return open_labelled(name, ONE_CLASS)


def open_labelled(name: str, labels: LabelSpec) -> Source:
    """The same with the labels that are asked for: one class an image, several, or a number."""
    content = read_table(name, _fetch)
    table = Table(content.frame, (), name)
    held = label_columns(table, labels)
    columns = known_columns(
        content.frame,
        name,
        paths=labels.path_column,
        splits=labels.split_column,
        labels=held,
        one_hot=labels.kind == "multi" and not held,
        images=content.images and content.images[0],
        group=labels.group,
        grouped=bool(labels.group or labels.group_by),
    )
    listed, classes_file = ((), "") if labels.kind == "number" else _listed_classes(name)
    read = read_labels(replace(table, others=columns.others, listed=listed, classes_file=classes_file), labels)
    if content.images is None:
        paths, more = _clean(complete(table, columns.paths), name)
        fetch = lambda place: _fetch(_beside(name, paths[place]))  # noqa: E731 (one of two readers)
    else:
        paths, more, fetch = [f"row {place + 1}" for place in range(len(read.labels))], (), content.images[1]
    local = content.images is None and "://" not in name
    if labels.kind != "single":
        _refuse_parts(table, paths, read.labels)
    items = [Item(path, label, split) for path, label, split in zip(paths, read.labels, columns.splits, strict=True)]
    if labels.group:
        items = with_groups(items, content.frame[labels.group].to_list(), name, labels.group)
    return Source(
        PurePosixPath(name).stem if "://" in name else text_of(Path(name).stem),
        read.classes,
        tuple(items),
        fetch,
        kind=labels.kind,
        unit=labels.unit,
        words=(*content.words, *columns.words, *read.words, *more),
        stamp=(lambda place: _stamp(_beside(name, paths[place]))) if local else None,
    )


def _clean(paths: list[str], name: str) -> tuple[list[str], tuple[str, ...]]:
    """Paths as this machine writes them, and a word where that was needed or none of them leads anywhere."""
    words = []
    stripped = [path if path == path.strip() or _is_there(name, path) else path.strip() for path in paths]
    of_windows = os.sep == "/" and any("\\" in path for path in stripped)
    if of_windows and not any("/" in path or _is_there(name, path) for path in stripped[:_TRIED]):
        stripped = [path.replace("\\", "/") for path in stripped]
        words.append("Backslashes in the paths were read as /.")
    local = [path for path in stripped[:_TRIED] if "://" not in path and "://" not in name]
    if local and not any(_is_there(name, path) for path in local):
        words.append(
            f"None of the first {len(local)} paths is there, such as {_beside(name, local[0])}: paths are relative to "
            "the table's folder, and end with the file's suffix."
        )
    return stripped, tuple(words)


def _is_there(name: str, path: str) -> bool:
    if "://" in name or "://" in path:
        return False
    try:
        return Path(os.path.expanduser(_beside(name, path))).is_file()  # noqa: PTH111 (Path.expanduser refuses ~a.png)
    except (OSError, ValueError):
        return False


def _refuse_parts(table: Table, paths: Sequence[str], labels: Sequence[Any]) -> None:
    """Rows of one image with a label each, or with the values of several raters: one of them would be kept in silence,
    since each image counts once (`data.division.split`).
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


def _listed_classes(name: str) -> tuple[tuple[str, ...], str]:
    """The lines of `classes.txt` and where it is, or nothing when there is no such file. Raises InputError when it is
    not UTF-8.
    """
    path = _beside(name, _CLASSES_FILE)
    try:
        text = _fetch(path).decode("utf-8-sig")  # some editors begin a file with a mark that is no part of a name
    except OSError:
        return (), ""
    except UnicodeDecodeError as error:
        raise InputError(
            f"The list of classes {path} cannot be read",
            found=f"byte {error.start + 1} is not UTF-8",
            allowed="text in UTF-8, one class a line",
            next_step="save it as UTF-8 in a text editor",
        ) from error
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip())), path


def _beside(name: str, path: str) -> str:
    """Where the table's `path` leads: itself when it is a URL or absolute, else relative to the table."""
    if "://" in path:
        return path
    if "://" in name:
        folder, slash, _ = name.rpartition("/")
        return path if path.startswith("/") else f"{folder}{slash}{path}"
    return os.path.join(os.path.dirname(name), on_disk(path))  # noqa: PTH118, PTH120 (pathlib would tidy the text)


def _stamp(path: str) -> Stamp | None:
    """Of a file on this machine; an address has none."""
    return None if "://" in path else stamp_of(os.path.expanduser(path))  # noqa: PTH111 (as in _fetch)


def _fetch(path: str) -> bytes:
    """Of a file or an address. Raises OSError for whatever the file system or the network could not do."""
    if "://" in path:  # fsspec would take a `::` in a file name for a chain of file systems
        return fetched(path)
    return Path(os.path.expanduser(path)).read_bytes()  # noqa: PTH111 (Path.expanduser refuses ~a.png)
