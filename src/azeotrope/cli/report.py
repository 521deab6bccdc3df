"""`azeotrope report`: a thin call of `azeotrope.report`."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import JsonValue
from rich.console import Console

from azeotrope.cli._options import shared as options
from azeotrope.cli._options.columns import Columns
from azeotrope.cli._options.spread import refuse_idle
from azeotrope.cli._terminal import printing


def command(
    runs: options.Runs,
    *,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Where to write the page.", show_default="RUNS/report.html, or the table's name.html"
        ),
    ] = None,
    of_class: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="A page of this one class instead.", show_default="the whole page"
        ),
    ] = None,
    columns: Columns,
    as_json: options.AsJson = False,
) -> None:
    """Make the page of stored runs, or of a table of your own: one self-contained HTML file, without torch.

    Example: azeotrope report result/ --out report.html
    """
    import azeotrope
    from azeotrope.analysis.comparisons import compared
    from azeotrope.reporting.document import Document
    from azeotrope.reporting.page import class_page
    from azeotrope.reporting.page.files import read_mistakes
    from azeotrope.reporting.texts.table import WIDTH
    from azeotrope.tables.reading import SUFFIXES

    table = runs.lower().endswith(SUFFIXES)
    if not table:
        refuse_idle(columns.flags(), "the columns of stored runs are known; these options are for a table")
    path = azeotrope.report(runs, out, columns=columns.spec(), of_class=of_class)
    if as_json:
        comparisons: list[JsonValue] = (
            [] if table else [comparison.model_dump(mode="json") for comparison in compared(runs)]
        )
        printing.print_document(page=str(path), comparisons=comparisons)
    else:
        if of_class is not None:
            document = Document(comparisons=compared(runs), mistakes=read_mistakes(runs))
            Console(width=min(WIDTH, Console().width)).print(class_page.text(class_page.of_class(document, of_class)))
        typer.echo(str(path))
