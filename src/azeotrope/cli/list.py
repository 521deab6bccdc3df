"""`azeotrope list`: what there is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from azeotrope.cli import _options as options


class Family(StrEnum):
    """What can be listed."""

    teachers = "teachers"
    students = "students"
    losses = "losses"
    laws = "laws"
    sources = "sources"
    strategies = "strategies"
    targets = "targets"


def command(
    family: Annotated[Family, typer.Argument(help="What to list.")],
    ladder: Annotated[str | None, typer.Option("--ladder", help="Students of one family, e.g. mobilenetv4.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """List what can be named on the command line.

    Example: azeotrope list students --ladder mobilenetv4
    """
    from azeotrope.api.listing import listing

    rows = listing(family.value, ladder)
    if as_json:
        options.print_document(rows=[dict(row) for row in rows])
        return
    widths = {key: max(len(str(row[key])) for row in rows) for key in rows[0]}
    for row in rows:
        typer.echo("  ".join(str(value).ljust(widths[key]) for key, value in row.items()).rstrip())
