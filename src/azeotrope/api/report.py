"""Makes the report of stored runs again: `azeotrope.report(folder)`. It needs the records; no images, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from azeotrope.analysis.comparisons import compared, task_folders
from azeotrope.analysis.study import Functions, joined, sweep_of
from azeotrope.analysis.tabulated import tabulated
from azeotrope.api.advise import advise
from azeotrope.api.boundary import boundary
from azeotrope.api.fit import fit
from azeotrope.errors import InputError
from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.training_curve import Curve
from azeotrope.reporting.document import Document
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.page.files import (
    PAGE,
    read_bundles,
    read_curves,
    read_disagreements,
    read_mistakes,
    write_page,
    write_text,
)
from azeotrope.reporting.page.html import Section, one_class
from azeotrope.reporting.page.part import Missing, attempt
from azeotrope.reporting.page.study import Sweep
from azeotrope.tables.columns import Columns
from azeotrope.tables.reading import SUFFIXES


def report(
    runs: str | Path | pl.DataFrame,
    out: str | Path | None = None,
    *,
    columns: Columns | None = None,
    of_class: str | None = None,
) -> Path:
    """Write one self-contained HTML file from `runs` (a folder or URL of records, or a table) and return its path.

    Every number comes from the records; what only `compare` knew (arms not tested, the plan, the price of pre-training,
    pictures) is taken from the files it left beside them, and what `export` verified of their models from its bundles.
    Without `out` the page goes to `report.html` in that folder,
    or into the working folder when the runs are at a URL or in memory; that of `runs.csv` goes to `runs.html`. A table
    (.csv, .tsv, .parquet, polars; `columns` maps its names) gives the page of a sweep without costs.

    Of a sweep over several tasks the page begins with their table, and holds the curves of every task. `of_class` makes
    the page of one class instead, `class-NUMBER.html`: how each arm fares on it, what it is taken for, and pictures of
    the surest mistakes.

    Raises InputError when there are no readable records, when the table names no arms, sizes or errors, or when nothing
    is stored of `of_class`; StoreError when `out` cannot be written.
    """
    if of_class is not None:
        return _class_page(runs, out, of_class)
    if isinstance(runs, pl.DataFrame) or str(runs).lower().endswith(SUFFIXES):
        comparisons, sweep = tabulated(runs, columns, Functions(fit, boundary, advise))
        beside = PAGE if isinstance(runs, pl.DataFrame) else Path(runs).with_suffix(".html")
        return write_page(out or beside, Document(comparisons=comparisons), sweep=sweep)
    folders = task_folders(runs)
    by_folder = {folder: compared(folder) for folder in folders}
    comparisons = tuple(comparison for found in by_folder.values() for comparison in found)
    curves = attempt(lambda: _curves(by_folder))
    sections = [_not_shown("Training by epoch", curves)] if isinstance(curves, Missing) else []
    document = Document(
        comparisons=comparisons,
        disagreements=read_disagreements(runs),
        mistakes=read_mistakes(runs),
        bundles=tuple(bundle for folder in folders for bundle in read_bundles(folder)),
        curves={} if isinstance(curves, Missing) else curves,
    )
    path = out or (PAGE if "://" in str(runs) else Path(runs) / PAGE)
    found = attempt(lambda: _sweep(folders))
    if isinstance(found, Missing):
        return write_page(path, document, [*sections, _not_shown("Over sizes", found)])
    return write_page(path, document, sections, found)


def _class_page(runs: str | Path | pl.DataFrame, out: str | Path | None, name: str) -> Path:
    if isinstance(runs, pl.DataFrame) or str(runs).lower().endswith(SUFFIXES):
        raise InputError(
            "A page of one class needs the answers that runs leave beside their records",
            found="a table of runs",
            allowed="a folder that `azeotrope compare` or `azeotrope sweep` wrote",
            next_step="name that folder, or leave --class out",
        )
    found, text = one_class(Document(comparisons=compared(runs), mistakes=read_mistakes(runs)), name)
    page = f"class-{found.number}.html"
    return write_text(out or (page if "://" in str(runs) else Path(runs) / page), text)


def _curves(by_folder: Mapping[str, Sequence[Comparison]]) -> dict[str, Curve]:
    found = (read_curves(folder, comparisons) for folder, comparisons in by_folder.items())
    return {run_id: curve for curves in found for run_id, curve in curves.items()}


def _not_shown(title: str, missing: Missing) -> Section:
    return Section(title, f"Not shown. {missing.reason}", None)


def _sweep(folders: Sequence[str]) -> Sweep | None:
    functions = Functions(fit, boundary, advise)
    sweeps = {folder.rpartition("/")[2]: sweep_of(list(RunStore(folder)), functions) for folder in folders}
    return joined(sweeps) if len(sweeps) > 1 else next(iter(sweeps.values()))
