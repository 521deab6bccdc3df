"""Makes the report of stored runs again: `azeotrope.report(folder)`. It needs the records; no images, no torch."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from azeotrope.analysis.comparisons import compared
from azeotrope.analysis.study import Functions, sweep_of
from azeotrope.analysis.tabulated import tabulated
from azeotrope.api.advise import advise
from azeotrope.api.boundary import boundary
from azeotrope.api.fit import fit
from azeotrope.record.store import RunStore
from azeotrope.reporting.files import PAGE, read_disagreements, write_page
from azeotrope.reporting.numbers import Document
from azeotrope.tables.columns import Columns
from azeotrope.tables.reading import SUFFIXES


def report(runs: str | Path | pl.DataFrame, out: str | Path | None = None, *, columns: Columns | None = None) -> Path:
    """Write one self-contained HTML file from `runs` (a folder or URL of records, or a table) and return its path.

    Every number comes from the records; what only `compare` knew (arms not tested, the plan, the price of pre-training,
    pictures) is taken from the files it left beside them. Without `out` the page goes to `report.html` in that folder,
    or into the working folder when the runs are at a URL or in memory; that of `runs.csv` goes to `runs.html`. A table
    (.csv, .tsv, .parquet, polars; `columns` maps its names) gives the page of a sweep without costs.

    Raises InputError when there are no readable records, or the table names no arms, sizes or errors; StoreError when
    `out` cannot be written.
    """
    functions = Functions(fit, boundary, advise)
    if isinstance(runs, pl.DataFrame) or str(runs).lower().endswith(SUFFIXES):
        comparisons, sweep = tabulated(runs, columns, functions)
        beside = PAGE if isinstance(runs, pl.DataFrame) else Path(runs).with_suffix(".html")
        return write_page(out or beside, Document(comparisons=comparisons), sweep=sweep)
    comparisons = compared(runs)
    document = Document(comparisons=comparisons, disagreements=read_disagreements(runs))
    path = out or (PAGE if "://" in str(runs) else Path(runs) / PAGE)
    sweep = sweep_of(list(RunStore(str(runs))), functions)
    return write_page(path, document, sweep=sweep)
