"""How a sweep over several tasks looks on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console

from azeotrope.api.sweep_tasks import SweptTasks
from azeotrope.cli._terminal import sweep as one
from azeotrope.reporting.texts.by_task import table
from azeotrope.reporting.words import duration, plural
from azeotrope.session.sweeps.sweep_setup import Foreseen


def show(made: SweptTasks) -> None:
    """What was done for each task, the table of all, and how to have the report."""
    for folder, sweep in made.tasks.items():
        typer.echo("\n".join([f"{folder}:", *(f"  {line}" for line in one.ended(sweep))]))
    for folder, reason in made.not_begun.items():
        typer.echo(f"{folder}: not begun: {reason}")
    typer.echo()
    Console().print(table(made.table))
    typer.echo(f"Report: azeotrope report {made.out}")


def foreseen_lines(foreseen: Mapping[str, Foreseen]) -> list[str]:
    """The cells of every task, and the sum over all."""
    said = [
        line for folder, each in foreseen.items() for line in (f"{folder}:", *(f"  {cell}" for cell in one.cells(each)))
    ]
    runs = sum(cell.seconds is not None for each in foreseen.values() for cell in each.cells)
    seconds = sum(each.seconds / each.workers for each in foreseen.values())
    most = "at most " if any(each.auto for each in foreseen.values()) else "about "
    return [*said, f"{plural(len(foreseen), 'task')}: {plural(runs, 'run')} to make, {most}{duration(seconds)} in all"]


def foreseen_json(foreseen: Mapping[str, Foreseen]) -> dict[str, Any]:
    """By the task's folder."""
    return {"tasks": {folder: asdict(each) for folder, each in foreseen.items()}}


def swept_json(made: SweptTasks) -> dict[str, Any]:
    """What was done by the task's folder, and the table."""
    return {
        "out": made.out,
        "tasks": {folder: asdict(sweep) for folder, sweep in made.tasks.items()},
        "not_begun": made.not_begun,
        "table": made.table.model_dump(mode="json"),
    }
