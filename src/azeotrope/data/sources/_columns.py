"""Which column of a table holds the paths, which the splits, which are about something else than labels.

A column is known by its name or by what stands in it. Where two would do the person is asked, and the message names the
option that answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from azeotrope.data.sources import _splits
from azeotrope.data.sources._passed import SUFFIXES
from azeotrope.data.sources._source import Split
from azeotrope.data.sources._splits import NONE, SHOWN, answer, flag_of, plain, split_of, words_in
from azeotrope.errors import InputError
from azeotrope.lookup import nearest

PATHS = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "img_path"),
    *("image_name", "image_file", "image_filename", "img_name", "imagepath", "url", "image_url"),
)
_INDEX = ("", "unnamed:_0", "unnamed:_0.1", "index", "level_0", "__index_level_0__", "column_0", "rownames", "row")
_GROUPS = frozenset(
    (
        *("patient", "subject", "group", "site", "location", "session", "sequence", "video", "film", "scene", "case"),
        *("animal", "individual", "specimen", "slide", "camera", "burst", "person", "study", "plant", "author"),
    )
)
_PATH_SAMPLE = 200  # rows that tell whether a column holds names of files


@dataclass
class Columns:
    """`paths` names the column of paths, `splits` gives the split of each row, `others` are the columns that cannot be
    labels.
    """

    paths: str
    splits: list[Split]
    others: tuple[str, ...]
    words: list[str] = field(default_factory=list)


def known_columns(
    frame: pl.DataFrame,
    name: str,
    *,
    paths: str | None,
    splits: str | None,
    labels: Sequence[str],
    one_hot: bool,
    images: str | None = None,
    group: str | None = None,
    grouped: bool = False,
) -> Columns:
    """Raises InputError where a column is missing or two would do. `paths` and `splits` are the columns that were
    named, `labels` those that hold labels, `one_hot` says whether any other column of 0 and 1 is a class, `images` is
    a column that holds the images themselves, `group` the one that was named for groups; `grouped` says that groups are
    named, by a column or otherwise.
    """
    found = Columns("", [""] * frame.height, ())
    named_group = [require_column(frame, name, group, "--group")] if group else []
    found.paths = images or _path_column(frame, name, paths, labels, found.words)
    taken = [column for column in frame.columns if plain(column) in PATHS or column == found.paths]
    free = [column for column in frame.columns if column not in (*taken, *labels)]
    used = _read_splits(frame, name, splits, free, found, one_hot=one_hot)
    index = [column for column in free if plain(column) in _INDEX]
    groups = [column for column in free if column not in used and _is_group(frame, column)]
    if not grouped:
        found.words += [word for column in groups if (word := _of_group(frame, column, found.splits))]
    named = [] if splits == NONE else [column for column in free if plain(column) in _splits.COLUMNS]
    found.others = tuple(dict.fromkeys((*taken, *used, *index, *groups, *named, *named_group)))
    return found


def require_column(frame: pl.DataFrame, name: str, column: str, option: str) -> str:
    """The column that was named. Raises InputError where the table has none of that name."""
    if column in frame.columns:
        return column
    near = nearest(column, frame.columns)
    raise InputError(
        f"The table {name} has no column {column!r}",
        found=f"columns {', '.join(frame.columns)}",
        allowed=f"nearest: {', '.join(near)}" if near else "",
        next_step=f"correct {option}",
    )


def only_column(frame: pl.DataFrame, name: str, names: Sequence[str], what: str, option: str) -> str:
    """The one column that has one of these names. Raises InputError where there is none, or several."""
    found = [column for column in frame.columns if plain(column) in names]
    if len(found) == 1:
        return found[0]
    raise no_one_column(frame, name, names, what, option)


def no_one_column(frame: pl.DataFrame, name: str, names: Sequence[str], what: str, option: str) -> InputError:
    """The error for a table of which it is not clear which column holds `what`."""
    lines = _without_header(frame)
    return InputError(
        f"The table {name} must have exactly one column of {what}",
        found=f"columns {', '.join(frame.columns)}"
        + ("; its first line looks like a row, not a header" if lines else ""),
        allowed=f"one named {', '.join(names)}",
        next_step="add a first line with the names of the columns, such as path,label"
        if lines
        else f"name it with {option}, or rename or remove columns",
    )


def _without_header(frame: pl.DataFrame) -> bool:
    return any(_looks_like_file(column) for column in frame.columns)


def _path_column(frame: pl.DataFrame, name: str, wanted: str | None, labels: Sequence[str], words: list[str]) -> str:
    if wanted is not None:
        return require_column(frame, name, wanted, "--path-column")
    known = [column for column in frame.columns if plain(column) in PATHS]
    if len(known) == 1:
        return known[0]
    candidates = known or [column for column in frame.columns if column not in labels]
    files = [column for column in candidates if _holds_files(frame[column])]
    if len(files) != 1 or _without_header(frame):
        raise no_one_column(frame, name, PATHS, "paths", "--path-column")
    words.append(f"The column {files[0]!r} holds the paths: it alone holds names of image files.")
    return files[0]


def _holds_files(column: pl.Series) -> bool:
    cells = [cell for cell in column.head(_PATH_SAMPLE).to_list() if cell]
    return bool(cells) and all(_looks_like_file(cell) for cell in cells)


def _looks_like_file(cell: str) -> bool:
    return "." in cell and f".{cell.strip().rpartition('.')[2].lower()}" in SUFFIXES


def _read_splits(
    frame: pl.DataFrame, name: str, wanted: str | None, free: Sequence[str], found: Columns, *, one_hot: bool
) -> list[str]:
    """Fill in the splits; the columns that say them."""
    if wanted == NONE:
        return []
    if wanted is not None:
        require_column(frame, name, wanted, "--split-column")
        flag = flag_of(wanted)
        marked = _is_flag(frame[wanted])
        found.splits = _by_flags(frame, {wanted: flag or "test"}) if marked else _by_words(frame, name, wanted)
        return [wanted]
    by_words = [column for column in free if _says_splits(frame[column], column)]
    flags = {column: flag for column in free if (flag := flag_of(column)) and _is_flag(frame[column])}
    _ask_for_unsure(frame, name, flags, one_hot=one_hot)
    said = {column: _by_words(frame, name, column) for column in by_words}
    if flags and not said:
        said[" and ".join(map(repr, flags))] = _by_flags(frame, flags)
    if len({tuple(splits) for splits in said.values()}) > 1:
        raise InputError(
            f"The table {name} must have exactly one column of splits",
            found=f"columns {', '.join(frame.columns)}: {', '.join(said)} say different splits",
            allowed=f"--split-column with one of {', '.join(said)}, or {NONE}",
            next_step="say which with --split-column, or rename or remove columns",
        )
    if said:
        column, found.splits = next(iter(said.items()))
        if column.strip().lower() != "split" and any(found.splits):
            counts = ", ".join(f"{found.splits.count(word)} {word}" for word in ("train", "val", "test"))
            found.words.append(f"The splits were read from the column {column.strip(chr(39))}: {counts}.")
    found.words += [_unread(frame, column) for column in free if _is_unread(frame, column, (*by_words, *flags))]
    return [*by_words, *flags]


def _says_splits(column: pl.Series, name: str) -> bool:
    """Whether the cells are splits: the column `split` by its name, others when they hold no other word."""
    splits, others = words_in(column.to_list())
    if plain(name) == "split":
        return True
    if plain(name) in _splits.COLUMNS and splits and others:
        return True  # is refused by the word that means none
    return "train" in splits and len(splits) > 1 and not others


def _is_flag(column: pl.Series) -> bool:
    answers = {answer(cell or "") for cell in column.to_list()}
    return answers == {False, True}


def _ask_for_unsure(frame: pl.DataFrame, name: str, flags: Iterable[str], *, one_hot: bool) -> None:
    """In a table with a column of 0 and 1 for each class, `test` may be a class; `is_test` is none."""
    unsure = [column for column in flags if one_hot and not plain(column).startswith("is_")]
    if unsure:
        raise InputError(
            f"The column {unsure[0]!r} of {name} may be a class or may mark a split",
            found=f"0 and 1 in it, as in the columns of the classes: {', '.join(frame.columns)}",
            allowed=f"--split-column {unsure[0]} (it marks a split), or --split-column {NONE} (it is a class)",
            next_step="say which with --split-column",
        )


def _by_words(frame: pl.DataFrame, name: str, column: str) -> list[Split]:
    return [split_of(cell, f"Row {place + 2} of {name}") for place, cell in enumerate(frame[column].to_list())]


def _by_flags(frame: pl.DataFrame, flags: Mapping[str, Split]) -> list[Split]:
    """Test where a column of test says so, else val, else train; where a column marks train only, the rest is test."""
    rest: Split = "test" if set(flags.values()) == {"train"} else "train"
    splits: list[Split] = [rest] * frame.height
    for split in ("train", "val", "test"):
        for column in (name for name, marks in flags.items() if marks == split):
            splits = [
                split if answer(cell or "") else before
                for cell, before in zip(frame[column].to_list(), splits, strict=True)
            ]
    return splits


def _is_unread(frame: pl.DataFrame, column: str, used: Sequence[str]) -> bool:
    return plain(column) in _splits.COLUMNS and column not in used and frame[column].n_unique() < frame.height


def _unread(frame: pl.DataFrame, column: str) -> str:
    values = sorted({cell for cell in frame[column].to_list() if cell})
    listed = ", ".join(values[:SHOWN]) + (", ..." if len(values) > SHOWN else "")
    return (
        f"The column {column!r} was not used as a split: its values ({listed}) name none of train, val and test. Write "
        "these words there if it is one."
    )


def _is_group(frame: pl.DataFrame, column: str) -> bool:
    name = plain(column)
    if name.removesuffix("_id").removesuffix("id").rstrip("_") not in _GROUPS:
        return False
    return 1 < frame[column].n_unique() < frame.height


def _of_group(frame: pl.DataFrame, column: str, splits: Sequence[Split]) -> str:
    """What a column that was not used may mean; "" where the given splits hold its groups apart already."""
    groups = frame[column].n_unique()
    if not any(splits):
        return (
            f"The column {column!r} may group images that belong together ({groups} groups) and was not used: images "
            f"of one group may stand in training and in test, which flatters the error. --group {column} keeps each "
            "group on one side."
        )
    parts = pl.DataFrame({"group": frame[column], "split": splits}).filter(pl.col("split") != "")
    torn = int((parts.group_by("group").agg(pl.col("split").n_unique())["split"] > 1).sum())
    if not torn:
        return ""
    return (
        f"The column {column!r} may group images that belong together, and {torn} of its {groups} groups stand in more "
        f"than one of the given splits, which flatters the error. With --group {column} that is refused."
    )
