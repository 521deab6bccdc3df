"""`azeotrope demo`: a thin call of `azeotrope.demo`."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from azeotrope.cli._options import shared as options
from azeotrope.cli._terminal import printing


def command(out: options.Out = Path("azeotrope-demo"), as_json: options.AsJson = False) -> None:
    """The whole story in minutes on two CPU cores: real images, a real teacher, three sizes, a report.

    Example: azeotrope demo --out first-look
    """
    import azeotrope
    from azeotrope.cli._terminal.progress import Shown
    from azeotrope.reporting.page.files import as_json as document
    from azeotrope.reporting.page.overall import overall
    from azeotrope.reporting.page.part import Missing
    from azeotrope.reporting.texts import boundary_text
    from azeotrope.reporting.texts.table import WIDTH, table

    with Shown() as progress:
        shown = azeotrope.demo(out, progress=progress)
    if as_json:
        printing.print_json(document(shown.comparisons))
        return
    console = Console(width=min(WIDTH, Console().width))
    if answer := overall(shown.comparisons):
        console.print(Text(answer.sentence, style="bold"))
        console.print()
    for comparison in shown.comparisons:
        console.print(table(comparison))
        console.print()
    found = shown.boundary
    console.print(found.reason if isinstance(found, Missing) else boundary_text.headline(found))
    typer.echo(f"Report: {shown.report.resolve()}")
