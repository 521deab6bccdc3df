"""Options that name columns, shared by the commands that read tables of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from azeotrope.cli._options import choices, words
from azeotrope.cli._options.spread import Group
from azeotrope.tables import columns as record


@dataclass(frozen=True)
class Columns(Group):
    """Which columns of a table mean what, and which rows count."""

    panel: ClassVar[str] = "Columns of a table"

    x: Annotated[
        list[str] | None,
        typer.Option(
            "--x",
            metavar="AXIS=COLUMN",
            help="The column of a size, images=n_train; repeatable.",
            show_default="found by its name",
        ),
    ] = None
    error: Annotated[
        str | None,
        typer.Option(
            "--error", metavar="COLUMN", help="The column of errors or losses.", show_default="found by its name"
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN,...", help="The columns that tell arms apart.", show_default="found by their names"
        ),
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Keep these rows; repeatable.", show_default="all rows"),
    ] = None
    error_unit: Annotated[
        choices.ErrorUnit | None,
        typer.Option("--error-unit", help="What the errors are.", show_default="auto: recognised, and said"),
    ] = None

    def spec(self) -> record.Columns:
        """The mapping as `azeotrope.tables.frame` takes it. Raises InputError for a pair without an equals sign."""
        named = tuple(part.strip() for part in self.by.split(",") if part.strip()) if self.by else ()
        return record.Columns(
            x=words.pairs(self.x, "--x"),
            error=self.error,
            by=named,
            where=words.pairs(self.where, "--where"),
            error_unit=self.error_unit.value if self.error_unit else "auto",
        )
