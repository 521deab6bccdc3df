"""`azeotrope report`: a thin call of `azeotrope.report`."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import JsonValue

from azeotrope.cli import _columns as mapping
from azeotrope.cli import _options as options


def command(
    runs: Annotated[str, typer.Argument(help="A folder (or URL) of runs, or a table (.csv, .tsv, .parquet).")],
    *,
    out: Annotated[
        str | None, typer.Option(help="Where to write the page; RUNS/report.html, or the table's name with .html.")
    ] = None,
    columns: mapping.Columns,
    as_json: options.AsJson = False,
) -> None:
    """Make the page of stored runs, or of a table of your own: one self-contained HTML file, without torch.

    Example: azeotrope report result/ --out report.html
    """
    import azeotrope
    from azeotrope.analysis.comparisons import compared
    from azeotrope.tables.reading import SUFFIXES

    path = azeotrope.report(runs, out, columns=columns.spec())
    if as_json:
        table = runs.lower().endswith(SUFFIXES)
        comparisons: list[JsonValue] = [] if table else [comparison.model_dump(mode="json") for comparison in compared(runs)]
        options.print_document(page=str(path), comparisons=comparisons)
    else:
        typer.echo(str(path))
