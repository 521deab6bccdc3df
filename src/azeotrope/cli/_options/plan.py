"""Options that make a plan of a sweep, and the content of a plan that they are turned into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from azeotrope.cli._options import groups, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.models import refuse_unused
from azeotrope.cli._options.spread import Group, given, refuse_idle

if TYPE_CHECKING:
    from azeotrope.sweeping.budget import Budget
    from azeotrope.sweeping.plans.tasks import Planned


@dataclass(frozen=True)
class Engine(Group):
    """Where runs are made."""

    panel: ClassVar[str] = "Where runs are made"
    called: ClassVar = {"engine": "name"}

    engine: Annotated[str | None, typer.Option(help="local or ray.", show_default="local")] = None
    workers: options.Workers = None
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="CPU threads of a run; decides its last bits.", show_default="the cores, divided"),
    ] = None
    address: Annotated[
        str | None, typer.Option(help="Of a cluster, for an engine that uses one.", show_default="none")
    ] = None


@dataclass(frozen=True)
class Grid(Group):
    """Which runs there are."""

    student: options.Students = None
    teacher: options.Teachers = None
    train_images: Annotated[
        str | None,
        typer.Option(
            "--train-images",
            "-n",
            metavar="N,...",
            help="How many labelled images train, by commas; or all.",
            show_default="auto: sizes that decide",
        ),
    ] = None
    at: Annotated[
        int | None,
        typer.Option(min=2, help="Your own number of training images, which auto decides at.", show_default="all"),
    ] = None
    arms: options.Arms = None
    seeds: Annotated[int | None, typer.Option(min=1, help="Paired seeds.", show_default="3")] = None
    folds: options.Folds = None
    deploy: options.Deploy = None
    budget: options.Budget = None
    hourly_price: Annotated[
        float | None, typer.Option(help="Of this machine, for a budget of money.", show_default="none")
    ] = None
    ladder: Annotated[
        str | None,
        typer.Option(metavar="FAMILY", help="Instead of --student: all of this timm family.", show_default="none"),
    ] = None
    max_parameters: Annotated[
        int | None, typer.Option(help="Largest student of the ladder, without head.", show_default="no limit")
    ] = None


@dataclass(frozen=True)
class Upstream(Group):
    """Pre-training here, on several numbers of images."""

    panel: ClassVar[str] = groups.FURTHER

    upstream: groups.UpstreamData = None
    pretrain_images: Annotated[
        str | None,
        typer.Option("--pretrain-images", metavar="N,...", help="How many upstream images.", show_default="none"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Plan(Group):
    """A plan in flags, or what flags change of a plan in a file."""

    grid: Grid
    upstream: Upstream
    teaching: groups.Teaching
    question: groups.Question
    engine: Engine

    def budget(self) -> Budget | None:
        """The budget, where one was named."""
        from azeotrope.sweeping.budget import Budget

        return Budget.parse(self.grid.budget, self.grid.hourly_price) if self.grid.budget else None

    def tasks(self, plans: Sequence[str]) -> tuple[Planned, ...]:
        """What these plans, files or DATA, ask with these changes. Raises InputError for a flag without effect."""
        from azeotrope.sweeping.plans.tasks import planned

        grid = self.grid
        if grid.teacher is None:
            refuse_idle(self.teaching.flags(), "no --teacher is named", "name one, or write it in the plan's teachers")
        tasks = planned({plan: _content(plan, grid.hourly_price) for plan in plans}, self._changes())
        refuse_unused(words.names(grid.arms), teacher=grid.teacher, upstream=self.upstream.upstream)
        if grid.hourly_price is not None and not any(task.plan.budget.money for task in tasks):
            refuse_idle(("--hourly-price",), "no budget of money is named", "add --budget '5 EUR', or leave it out")
        return tasks

    def _changes(self) -> dict[str, Any]:
        grid, sizes = self.grid, self.grid.train_images
        ladder = given({"family": grid.ladder, "max_parameters": grid.max_parameters})
        asked = {
            "teachers": [{"model": name, **self.teaching.given()} for name in words.names(grid.teacher) or ()] or None,
            "students": words.names(grid.student),
            "ladder": ladder or None,
            "arms": words.names(grid.arms),
            "train_images": sizes if sizes in ("auto", "all") else words.counts(sizes),
            "at": grid.at,
            "upstream": self.upstream.upstream,
            "pretrain_images": words.counts(self.upstream.pretrain_images),
            "seeds": grid.seeds,
            "folds": grid.folds,
            "deploy": words.names(grid.deploy),
            "budget": self.budget(),
            "engine": self.engine.given() or None,
        }
        return given(asked) | self.question.given()


def _content(named: str, hourly_price: float | None) -> Mapping[str, Any]:
    """The plan of the file, or of DATA, with this price for a budget of money."""
    from azeotrope.sweeping.budget import Budget
    from azeotrope.sweeping.plans.tasks import content_of

    content = content_of(named)
    budget = content.get("budget")
    if hourly_price is not None and budget:
        text, price = isinstance(budget, str), {"hourly_price": hourly_price}
        content["budget"] = Budget.parse(str(budget), hourly_price) if text else budget | price
    if isinstance(content.get("engine"), str):
        content["engine"] = {"name": content["engine"]}
    return content
