"""`azeotrope schema`: a thin call of `azeotrope.schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from azeotrope.cli._terminal import printing


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A command whose --json is meant (compare, predict, ...), or record, plan, synth-plan.",
        ),
    ],
) -> None:
    """Print the JSON Schema of a file that azeotrope writes, or of what a command prints with --json.

    Example: azeotrope schema record
    """
    import azeotrope

    printing.print_json(azeotrope.schema(name))
