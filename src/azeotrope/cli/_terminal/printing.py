"""What a command prints: the one JSON document for a program, or text of at most `WIDTH` columns for a person."""

from __future__ import annotations

import json
import sys

import typer
from pydantic import JsonValue
from rich.console import Console, RenderableType

from azeotrope.record.result import SCHEMA

WIDTH = 100


def print_document(**content: JsonValue) -> None:
    """The document of a command, with the number of its schema (`azeotrope schema` prints that)."""
    print_json({"schema": SCHEMA, **content})


def print_json(content: JsonValue) -> None:
    """The one document on standard output, in the letters that this output can carry."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(content, indent=1)
    typer.echo(text)


def show(content: RenderableType) -> None:
    """Print for a person."""
    Console(width=min(WIDTH, Console().width)).print(content)
