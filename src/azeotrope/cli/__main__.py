"""`azeotrope`: finds the commands, and turns errors into messages and exit statuses.

0 done, 1 failed, 2 wrong usage or input, 130 interrupted. An error takes a line for each of its parts (error, found,
allowed, next). A traceback is shown with `--debug` only.
"""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from azeotrope import __version__
from azeotrope.cli._options.spread import PROGRAM, Debug, spread
from azeotrope.cli._terminal import help as _help
from azeotrope.cli._terminal.locale import spell_out, start_in_utf8
from azeotrope.errors import AzeotropeError
from azeotrope.lookup import member, members


class Interrupted(AzeotropeError):  # noqa: N818 (not a fault)
    """The person stopped the program."""

    exit_status = 130


class _Commands(_help.Commands):
    """Says how to go on after Ctrl-C, of which typer would only leave the exit status."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            raise Interrupted("Interrupted", next_step="run the same command again: it resumes") from stopped


def build() -> typer.Typer:
    """The application with every command of this folder."""
    app = typer.Typer(
        cls=_Commands,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        help="Distil, fine-tune or train from scratch? Measured on your own images.",
        epilog="Start with: azeotrope demo. `azeotrope COMMAND -h` shows its options and an example.",
    )
    app.callback()(_options)
    for name in members("cli"):
        app.command(name.removesuffix("_"), cls=_help.Command)(spread(member("cli", name, "command").command))
    return app


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `azeotrope` command."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    debug = "--debug" in given
    if arguments is None:
        start_in_utf8()
    spell_out()
    try:
        build()(given, prog_name="azeotrope")
    except AzeotropeError as error:
        if debug:
            traceback.print_exception(error)
        _show(error)
        raise SystemExit(error.exit_status) from None
    except Exception as error:  # a defect: the person is told so, and how to show it
        if debug:
            raise
        said = f"This should not have happened: {type(error).__name__}: {error}"
        _show(AzeotropeError(said, next_step="add --debug, and report what it shows"))
        raise SystemExit(1) from None


def _show(error: AzeotropeError) -> None:
    """A line for each part; the console breaks none, so that a path can be copied whole."""
    console = Console(stderr=True)
    for label, text in error.parts():
        style = "bold red" if label == "error" else "bold"
        console.print(Text.assemble((f"{label}:", style), " ", text), soft_wrap=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and leave.",
            is_eager=True,
            callback=_show_version,
            rich_help_panel=PROGRAM,
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    """Options of the program itself; both are handled before a command is asked for."""


if __name__ == "__main__":
    main()
