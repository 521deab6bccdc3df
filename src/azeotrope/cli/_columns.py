"""Options that name columns, shared by the commands that read tables of runs, and what they are turned into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console, RenderableType

from azeotrope.cli._groups import Group
from azeotrope.errors import InputError
from azeotrope.tables import columns as record

WIDTH = 100


class UnitName(StrEnum):
    """What the error column holds."""

    auto = "auto"
    fraction = "fraction"
    percent = "percent"
    loss = "loss"


X = Annotated[list[str] | None, typer.Option("--x", metavar="AXIS=COLUMN", help="images=n_train; may be repeated.")]
Error = Annotated[str | None, typer.Option("--error", metavar="COLUMN", help="The column of errors or losses.")]
By = Annotated[str | None, typer.Option("--by", metavar="COLUMN[,COLUMN]", help="The columns that tell arms apart.")]
Where = Annotated[
    list[str] | None, typer.Option("--where", metavar="COLUMN=VALUE", help="Keep these rows; repeatable.")
]
UnitOption = Annotated[UnitName, typer.Option("--unit", help="Unit of the error; recognised and said when auto.")]


@dataclass(frozen=True)
class Columns(Group):
    """Which columns of a table mean what, and which rows count."""

    x: X = None
    error: Error = None
    by: By = None
    where: Where = None
    unit: UnitOption = UnitName.auto

    def spec(self) -> record.Columns:
        """The mapping as `azeotrope.tables.frame` takes it. Raises InputError for a pair without an equals sign."""
        named = tuple(part.strip() for part in self.by.split(",") if part.strip()) if self.by else ()
        return record.Columns(
            x=_pairs(self.x, "--x"),
            error=self.error,
            by=named,
            where=_pairs(self.where, "--where"),
            unit=self.unit.value,
        )


def numbers(text: str | None, flag: str) -> tuple[float, ...]:
    """A comma-separated list of numbers. Raises InputError for anything else."""
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise InputError(
            f"{flag} is a list of numbers", found=str(text), allowed="such as 1000,5000", next_step="correct it"
        ) from None


def show(content: RenderableType) -> None:
    """Print for a person, at most `WIDTH` columns."""
    Console(width=min(WIDTH, Console().width)).print(content)


def _pairs(given: list[str] | None, flag: str) -> dict[str, str]:
    split = [pair.partition("=") for pair in given or ()]
    for name, equals, value in split:
        if not (name and equals and value):
            raise InputError(
                f"{flag} takes NAME=VALUE",
                found=f"{name}{equals}{value}",
                allowed="such as images=n_train",
                next_step="correct it",
            )
    return {name: value for name, _, value in split}
