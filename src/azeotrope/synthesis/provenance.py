"""Where every picture comes from and what was said of it: one Parquet row a picture, kept or refused.

It is what `compare` and `distill` read later: a picture without a row does not exist for them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from azeotrope.errors import InputError, message_of
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.synthesis.filter import Judgement
from azeotrope.synthesis.making import Line

FILE = "provenance.parquet"
COLUMNS = {
    "file": pl.String,
    "class": pl.String,
    "label": pl.Int64,
    "index": pl.Int64,
    "seed": pl.Int64,
    "generator": pl.String,
    "revision": pl.String,
    "prompt": pl.String,
    "agreement": pl.Float64,
    "seen_as": pl.String,
    "kept": pl.Boolean,
    "reason": pl.String,
    "seconds": pl.Float64,
}


def table(lines: Sequence[Line], judgement: Judgement, classes: Sequence[str]) -> pl.DataFrame:
    """The rows, in the order of `lines`. `agreement` is the teacher's probability of the intended class."""
    return pl.DataFrame(
        {
            "file": [line.file for line in lines],
            "class": [classes[line.label] for line in lines],
            "label": [line.label for line in lines],
            "index": [line.index for line in lines],
            "seed": [line.seed for line in lines],
            "generator": [line.generator for line in lines],
            "revision": [line.revision for line in lines],
            "prompt": [line.prompt for line in lines],
            "agreement": judgement.agreement,
            "seen_as": [classes[label] for label in judgement.seen_as.tolist()],
            "kept": judgement.kept,
            "reason": list(judgement.reasons),
            "seconds": [line.seconds for line in lines],
        },
        schema=COLUMNS,
    )


def write(folder: Path, rows: pl.DataFrame) -> None:
    """Replace the file. Raises StoreError when the disk does not take it."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    try:
        write_atomically(folder / FILE, buffer.getvalue())
    except OSError as error:
        raise cannot_write(folder, error) from error


def read(folder: Path) -> pl.DataFrame:
    """The rows of a finished set. Raises InputError when there is none, or it is not ours."""
    try:
        rows = pl.read_parquet(folder / FILE)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{folder} holds no finished set of pictures",
            found=message_of(error),
            allowed=f"a folder with {FILE}, written by `azeotrope synth`",
            next_step="give the azeotrope synth command again: it goes on where it stopped",
        ) from error
    if missing := set(COLUMNS) - set(rows.columns):
        raise InputError(f"{folder / FILE} is not a table of pictures", found=f"no column {', '.join(sorted(missing))}")
    return rows
