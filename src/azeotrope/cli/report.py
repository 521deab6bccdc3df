"""`azeotrope report`: a thin call of `azeotrope.report`."""

from __future__ import annotations

from typing import Annotated

import typer

from azeotrope.cli import _options as options


def command(
    runs: Annotated[str, typer.Argument(help="A folder (or URL) that compare or sweep wrote.", metavar="RUNS")],
    out: Annotated[str | None, typer.Option(help="Where to write the page; by default RUNS/report.html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as one JSON document.")] = False,
) -> None:
    """Make the report of stored runs again: one self-contained HTML file, without torch.

    Example: azeotrope report result/ --out report.html
    """
    from azeotrope.analysis.comparisons import compared
    from azeotrope.api.report import report
    from azeotrope.reporting.files import as_json as document

    path = report(runs, out)
    if as_json:
        options.print_json(document(compared(runs)))
    else:
        typer.echo(str(path))
