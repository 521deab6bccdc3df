"""A table's bytes as columns of text, whatever wrote it: a spreadsheet, a script, another system.

UTF-8, UTF-16 and what Windows calls ANSI; commas, semicolons, tabs and bars; Parquet, also with the images inside. What
was not plain is said. It knows nothing of what the columns mean.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import polars as pl
from polars import selectors

from azeotrope.data.decoding.foreign import POINTERS_AND_PAGES, WORKBOOKS, called_by_name
from azeotrope.errors import InputError, message_of

_MARKS = (  # a file's first bytes, the longer ones first
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = {",": "commas", ";": "semicolons (;)", "\t": "tabs", "|": "bars (|)"}
_PARQUET = b"PAR1"
_SAMPLE = 20  # lines that tell what separates columns


@dataclass(frozen=True)
class Content:
    """Columns of text; `images` are the bytes in a Parquet column of images and its name, where there is one; `words`
    say what was not plain.
    """

    frame: pl.DataFrame
    words: tuple[str, ...] = ()
    images: tuple[str, Callable[[int], bytes]] | None = None


def read_table(name: str, fetch: Callable[[str], bytes]) -> Content:
    """The table of that name. Raises InputError for one that is missing or cannot be read."""
    try:
        content = fetch(name)
        if name.lower().endswith(".parquet") or content[:4] == _PARQUET:
            return _parquet(content, name)
        if told := called_by_name(content, {**POINTERS_AND_PAGES, **WORKBOOKS}):
            raise InputError(f"{name} is {told[0]}", allowed="CSV, TSV or Parquet", next_step=told[1])
        text, words = _text(content)
        separator, more = _separator(text, tabs=name.lower().endswith(".tsv"))
        frame = pl.read_csv(text.encode(), infer_schema=False, separator=separator)
        return Content(frame, (*words, *more))
    except FileNotFoundError as error:
        raise InputError(f"There is no table {name}", next_step="check the path") from error
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"The table {name} cannot be read",
            found=message_of(error),
            allowed="CSV or TSV with a header line, best in UTF-8, or Parquet",
            next_step="open it in a text editor or write it again",
        ) from error


def _text(content: bytes) -> tuple[str, list[str]]:
    """The text, and how it was read where it is not UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            words = [] if encoding == "utf-8" else [f"The table is in {encoding.upper()} and was read so."]
            return content.decode("utf-8-sig" if encoding == "utf-8" else encoding), words
    if content[1:2] == b"\0" or content[:1] == b"\0":
        encoding = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
        return content.decode(encoding), [f"The table is in {encoding.upper()} and was read so."]
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        place = content.count(b"\n", 0, error.start) + 1
        said = (
            f"The table is not in UTF-8 (line {place}): it was read as Windows-1252. Check names with accents, or save "
        )
        return content.decode("cp1252", "backslashreplace"), [f"{said}it in UTF-8."]


def _separator(text: str, *, tabs: bool) -> tuple[str, list[str]]:
    """What separates columns: the sign that parts header and rows alike, commas where several might."""
    if text[:4].lower() == "sep=":  # a spreadsheet's own note, which polars would take for the header
        raise ValueError("its first line is not the header but sep=...: remove that line")
    lines = [line for line in text.splitlines()[:_SAMPLE] if line.strip()]
    expected = "\t" if tabs else ","
    order = [expected, *(sign for sign in _SEPARATORS if sign != expected)]
    parts = {sign: {line.count(sign) for line in lines} for sign in order}
    even = [sign for sign in order if len(parts[sign]) == 1 and min(parts[sign]) > 0]
    some = [sign for sign in order if lines and lines[0].count(sign)]
    chosen = next(iter(even if expected not in some else [expected]), next(iter(some), expected))
    return chosen, [] if chosen == expected else [f"The table's columns are separated by {_SEPARATORS[chosen]}."]


def _parquet(content: bytes, name: str) -> Content:
    frame = pl.read_parquet(BytesIO(content))
    inside = [column for column, dtype in frame.schema.items() if _holds_images(dtype)]
    if len(inside) > 1:
        raise InputError(
            f"The table {name} must hold one column of images",
            found=f"columns {', '.join(inside)}",
            next_step="remove all but one",
        )
    text, words = _named_classes(_as_text(frame.drop(inside), name), content)
    if not inside:
        return Content(text, words)
    stored = frame[inside[0]]
    stored = stored.struct.field("bytes") if isinstance(stored.dtype, pl.Struct) else stored
    return Content(text, words, (inside[0], lambda place: _bytes(stored[place])))


def _bytes(stored: Any) -> bytes:
    if stored is None:
        raise OSError("the table holds no bytes in this row")
    return bytes(stored)


def _holds_images(dtype: pl.DataType) -> bool:
    """Bytes, or a record with bytes as the `datasets` library writes it."""
    if isinstance(dtype, pl.Struct):
        return any(part.name == "bytes" and part.dtype == pl.Binary for part in dtype.fields)
    return dtype == pl.Binary


def _as_text(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Cells as text, none for NaN. Raises InputError for a column that holds more than one value a row."""
    for column, dtype in frame.schema.items():
        if dtype.is_nested():
            what = "records of several fields" if isinstance(dtype, pl.Struct) else "lists"
            raise InputError(
                f"Every column of the table {name} must hold one value a row",
                found=f"column {column!r} holds {what}",
                next_step="join its labels into one text (cat;dog), or remove the column",
            )
    return frame.with_columns(selectors.float().fill_nan(None)).cast(pl.String)


def _named_classes(frame: pl.DataFrame, content: bytes) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Names in the place of class numbers, where the `datasets` library wrote them beside the columns."""
    try:
        note = json.loads(pl.read_parquet_metadata(BytesIO(content)).get("huggingface", "{}"))
        features = note["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return frame, ()
    named = {
        column: feature["names"]
        for column, feature in features.items()
        if column in frame.columns and isinstance(feature, Mapping) and isinstance(feature.get("names"), Sequence)
    }
    for column, names in named.items():
        frame = frame.with_columns(pl.Series(column, [_name(cell, names) for cell in frame[column]], dtype=pl.String))
    return frame, tuple(
        f"The numbers in column {column!r} were read as the classes that they stand for." for column in named
    )


def _name(cell: str | None, names: Sequence[str]) -> str | None:
    return names[int(cell)] if cell is not None and cell.isdecimal() and int(cell) < len(names) else None
