"""`azeotrope list`: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from azeotrope.cli._options import choices
from azeotrope.cli._options import shared as options
from azeotrope.cli._terminal import printing


def command(
    family: Annotated[choices.Family, typer.Argument(help="What to list.")],
    ladder: Annotated[
        str | None,
        typer.Option(
            "--ladder",
            metavar="FAMILY",
            help="Students of one family, such as mobilenetv4.",
            show_default="a short list over all",
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """List what can be named on the command line.

    Example: azeotrope list students --ladder mobilenetv4
    """
    from azeotrope.api.listing import listing

    rows = listing(family.value, ladder)
    if as_json:
        printing.print_document(rows=[dict(row) for row in rows])
        return
    widths = {key: max(len(str(row[key])) for row in rows) for key in rows[0]}
    for row in rows:
        typer.echo("  ".join(str(value).ljust(widths[key]) for key, value in row.items()).rstrip())
