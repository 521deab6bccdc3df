"""`azeotrope report`: a thin call of `azeotrope.report`."""

from __future__ import annotations

from typing import Annotated

import typer

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
    from azeotrope.reporting.files import as_json as document
    from azeotrope.tables.reading import SUFFIXES

    path = azeotrope.report(runs, out, columns=columns.spec())
    if as_json and not runs.lower().endswith(SUFFIXES):
        options.print_json(document(compared(runs)))
    elif as_json:
        options.print_json({"page": str(path)})
    else:
        typer.echo(str(path))
