"""A group of options is one parameter of a command, and its options are the person's."""

import inspect
from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from azeotrope.cli._options.spread import Group, spread


@dataclass(frozen=True)
class Size(Group):
    wide: Annotated[int, typer.Option("--wide")] = 2
    high: Annotated[int, typer.Option("--high")] = 3


def command(name: str, *, first: bool = False, size: Size, last: int = 4) -> None:
    """Say it."""
    typer.echo(f"{name} {first} {size.wide}x{size.high} {last}")


def said(*arguments):
    app = typer.Typer()
    app.command()(spread(command))
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_options_stand_where_the_group_stood():
    assert list(inspect.signature(spread(command)).parameters) == [
        "name",
        "first",
        "wide",
        "high",
        "last",
        "debug",
        "context",
    ]
    assert spread(command).__doc__ == "Say it."


def test_what_is_given_and_what_is_not_reaches_the_command():
    assert said("box") == "box False 2x3 4"
    assert said("box", "--high", "9", "--first", "--last", "1") == "box True 2x9 1"
