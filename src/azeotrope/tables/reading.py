"""Reads a person's own table as they wrote it: separators, decimal commas, thousands, per cent signs, mean ± spread.

It turns text into numbers and decides nothing about what they mean; `recognise` does that.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import polars as pl

from azeotrope.errors import InputError, message_of
from azeotrope.tables.recognise import canonical

SUFFIXES = (".csv", ".tsv", ".parquet")
_SEPARATORS = "\t;,|"
_NOTHING = ("", "NA", "N/A", "na", "n/a", "nan", "NaN", "NAN", "null", "None", "-", "–", "—")
_SPREAD = r"\s*(?:±|\+/-|\+-|\\pm|\$\\pm\$).*$"
_GERMAN = r"^-?\d{1,3}(?:\.\d{3})*,\d+$|^-?\d+,\d+$"
_THOUSANDS = {mark: rf"^\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+$" for mark in ",."}
_PLAIN = r"^-?\d+$"
_SIZE_WORDS = {"k": 1e3, "m": 1e6}


def read_file(path: str) -> pl.DataFrame:
    """The table in a .csv, .tsv or .parquet file, numbers as numbers. Raises InputError when it cannot be read."""
    try:
        if path.lower().endswith(".parquet"):
            return pl.read_parquet(path)
        return parse(Path(path).read_bytes())
    except (OSError, pl.exceptions.PolarsError, UnicodeError) as error:
        raise InputError(
            f"The table {path} cannot be read",
            found=message_of(error),
            allowed="a CSV with a header (commas, semicolons or tabs), or a Parquet file",
            next_step="check the path and open the file in an editor",
        ) from error


def parse(content: bytes) -> pl.DataFrame:
    """The table in the bytes of a CSV file, whatever wrote it."""
    text = _decoded(content)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if lines and (said := re.fullmatch(r'"?sep=(.)"?', lines[0].strip())):
        separator, lines = said[1], lines[1:]
    else:
        separator = _separator(lines[0]) if lines else ","
    if not lines:
        raise pl.exceptions.NoDataError("empty file")
    raw = pl.read_csv(
        io.StringIO("\n".join(lines)),
        separator=separator,
        infer_schema_length=0,
        truncate_ragged_lines=True,
    )
    raw = raw.select(
        pl.col(name).str.strip_chars(" \u00a0\t\"'*").alias(name.strip(" \ufeff\u00a0\"'*") or name)
        for name in raw.columns
    )
    raw = raw.filter(~pl.all_horizontal(pl.all().is_null() | (pl.all() == "")))
    raw = raw.select(
        pl.when(pl.col(name).is_in(_NOTHING)).then(None).otherwise(pl.col(name)).alias(name) for name in raw.columns
    )
    german = separator != "," and any(_some(column, _GERMAN) for column in raw.get_columns())
    return pl.DataFrame([_typed(column, german=german) for column in raw.get_columns()])


def _decoded(content: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else what Windows writes."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _separator(header: str) -> str:
    """The mark that divides the header into most columns, quoted parts aside."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_SEPARATORS, key=bare.count) if any(mark in bare for mark in _SEPARATORS) else ","


def _some(column: pl.Series, pattern: str) -> bool:
    return bool(column.drop_nulls().str.contains(pattern).any())


def _every(column: pl.Series, *patterns: str) -> bool:
    return bool(column.drop_nulls().str.contains("|".join(patterns)).all())


def _typed(column: pl.Series, *, german: bool) -> pl.Series:
    """Numbers where every value is one; a per cent sign divides by 100. Text stays as it is."""
    if column.null_count() == len(column):
        return column
    bare = column.str.replace(_SPREAD, "")
    per_cent = _every(bare, r"%$")
    bare = bare.str.strip_chars(" %$").str.replace_all(r"(\d)[ \u00a0\u202f'’](\d{3})", "${1}${2}")
    sizes = canonical(column.name) in ("train_images", "pretrain_images", "parameters", "test_images")
    times = None
    if sizes and _every(bare, r"^[\d.,]+\s*[kKmM]?$"):
        times = (
            bare.str.extract(r"([kKmM])$")
            .str.to_lowercase()
            .replace_strict(_SIZE_WORDS, default=1.0, return_dtype=pl.Float64)
        )
        bare = bare.str.replace(r"\s*[kKmM]$", "")
    number = _number(bare, german=german, sizes=sizes)
    if number is None:
        return column
    number = number * times if times is not None else number
    number = number / 100 if per_cent else number
    whole = number.drop_nulls()
    if (
        not per_cent
        and len(whole)
        and bool((whole.is_finite() & (whole == whole.round()) & (whole.abs() < 1e15)).all())
    ):
        number = number.cast(pl.Int64)
    return number.rename(column.name)


def _number(bare: pl.Series, *, german: bool, sizes: bool) -> pl.Series | None:
    """The values as numbers, None when some are not."""
    mark = "." if german else ","
    if (
        (german or sizes or _some(bare, r"\d,\d{3},"))
        and _every(bare, _THOUSANDS[mark], _PLAIN)
        and _some(bare, _THOUSANDS[mark])
    ):
        bare = bare.str.replace_all(mark, "", literal=True)
    elif _every(bare, _GERMAN, _PLAIN, r"^-?\d+\.\d+$") and (german or _some(bare, _GERMAN)):
        thousands = bare.str.contains(",", literal=True)
        bare = pl.select(
            pl.when(thousands)
            .then(bare.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
            .otherwise(bare)
        ).to_series()
    number = bare.cast(pl.Float64, strict=False)
    return number if number.null_count() == bare.null_count() else None
