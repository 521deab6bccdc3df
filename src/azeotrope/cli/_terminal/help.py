"""Help that reads at 40 columns and at 80: a heading a panel, an option a line or two, its default at the end.

typer's own help gives a third of 80 columns to names and kinds of values, and breaks words in the rest.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from azeotrope.cli._options.spread import PROGRAM

WIDEST, NARROW = 100, 66  # columns; below `NARROW` the words stand under the name
NAMES = 30  # columns for the names of options
ARGUMENTS, COMMON = "Arguments", "Common options"
Row = tuple[str, str]


class Command(TyperCommand):
    """A command with this help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write it to standard output."""
        write_help(self, ctx)


class Commands(TyperGroup):
    """The program with this help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write it to standard output."""
        listed = [(name, command.get_short_help_str(500)) for name, command in sorted(self.commands.items())]
        write_help(self, ctx, {"Commands": listed})


def write_help(
    command: TyperCommand | TyperGroup, context: typer.Context, more: dict[str, list[Row]] | None = None
) -> None:
    """Usage, what the command does, its panels and the last words."""
    console = Console(highlight=False)
    width = min(WIDEST, console.width)
    panels: dict[str, list[Row]] = more or {}
    for parameter in command.get_params(context):
        panels.setdefault(_panel(parameter), []).append((_names(parameter), _words(parameter, context)))
    panels = {name: panels[name] for name in sorted(panels, key=_place)}
    pieces = " ".join(command.collect_usage_pieces(context)).replace("{", "").replace("}", "")
    _say(console, _filled(f"Usage: {context.command_path} {pieces}", width))
    for paragraph in (command.help or "").split("\n\n"):
        _say(console, "", *_filled(" ".join(paragraph.split()), width))
    for name, rows in panels.items():
        console.print()
        console.print(Text(name, style="bold"))
        for row in rows:
            _say(console, *_row(*row, width))
    if command.epilog:
        _say(console, "", *_filled(command.epilog, width))


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return ARGUMENTS
    if parameter.name in ("help", "version", "install_completion", "show_completion"):
        return PROGRAM
    return getattr(parameter, "rich_help_panel", None) or COMMON


def _place(panel: str) -> int:
    """Arguments and common options first, those of the program last, others as they came."""
    return {"Commands": 0, ARGUMENTS: 0, COMMON: 1, PROGRAM: 3}.get(panel, 2)


def _names(parameter: Any) -> str:
    """`-s, --student NAME`."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper()).strip("{}")
    short = [name for name in parameter.opts if not name.startswith("--")]
    names = ", ".join([*short, *(name for name in parameter.opts if name.startswith("--")), *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {parameter.metavar or 'TEXT'}"


def _words(parameter: Any, context: typer.Context) -> str:
    said = parameter.help or ""
    if parameter.required:
        return f"{said} [required]"
    default = default_of(parameter, context)
    return f"{said} [default: {default}]" if default else said


def default_of(parameter: Any, context: typer.Context) -> str:
    """The default as the help says it; "" where there is none to say."""
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    default = parameter.get_default(context, call=False)
    if default is None or (
        parameter.param_type_name == "option" and parameter.is_flag and not parameter.secondary_opts
    ):
        return ""
    if isinstance(default, bool):
        names = parameter.opts if default else parameter.secondary_opts
        return str(names[0])
    return str(getattr(default, "value", default))


def _row(names: str, words: str, width: int) -> Iterable[str]:
    if width < NARROW:
        return [*_filled(names, width - 2, indent=2), *_filled(words, width, indent=6)]
    lines = _filled(words, width, indent=NAMES)
    if len(names) + 4 > NAMES:
        return [*_filled(names, width - 2, indent=2), *lines]
    return [f"  {names}".ljust(NAMES) + lines[0][NAMES:] if lines else f"  {names}", *lines[1:]]


def _filled(text: str, width: int, indent: int = 0) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False, break_long_words=True
    )


def _say(console: Console, *lines: str | Iterable[str]) -> None:
    for line in lines:
        for each in [line] if isinstance(line, str) else line:
            console.print(Text(each), soft_wrap=True)
