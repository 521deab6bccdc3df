"""`azeotrope`: finds the commands, and turns errors into messages and exit statuses.

0 done, 1 failed, 2 wrong usage or input, 130 interrupted. A traceback is shown with `--debug` only.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from azeotrope import __version__
from azeotrope.errors import AzeotropeError
from azeotrope.lookup import member, members

INTERRUPTED = 130


def build() -> typer.Typer:
    """The application with every command of this folder."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Distil, fine-tune or train from scratch? Proved on your own images.",
        epilog="Start with: azeotrope demo",
    )
    app.callback()(_options)
    for name in members("cli"):
        app.command(name.removesuffix("_"))(member("cli", name, "command").command)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `azeotrope` command."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given
    try:
        build()([argument for argument in given if argument != "--debug"])
    except AzeotropeError as error:
        if debug:
            raise
        Console(stderr=True).print(Text(f"azeotrope: {error}", style="red"), soft_wrap=True)
        raise SystemExit(error.exit_status) from None
    except KeyboardInterrupt:
        if debug:
            raise
        Console(stderr=True).print("azeotrope: interrupted; the same command goes on from here", style="yellow")
        raise SystemExit(INTERRUPTED) from None


def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


if __name__ == "__main__":
    main()
