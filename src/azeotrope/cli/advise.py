"""`azeotrope advise`: a thin call of `azeotrope.advise`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from azeotrope.boundaries.boundary import PRACTICAL
from azeotrope.cli._options import fitting, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.columns import Columns
from azeotrope.cli._options.labels import Labels
from azeotrope.cli._options.models import Models, holds_images
from azeotrope.cli._options.spread import Group, Typed, refuse_idle
from azeotrope.cli._terminal import printing

if TYPE_CHECKING:
    from azeotrope.advice.answer import Advice
    from azeotrope.advice.needs.limits import Needs

PRICES = "Prices and what may be used"


@dataclass(frozen=True)
class Wanted(Group):
    """The user's side."""

    images: Annotated[
        float | None,
        typer.Option(help="Labelled images you own, to train, validate and test.", show_default="the largest size run"),
    ] = None
    at: Annotated[
        float | None,
        typer.Option(
            help="Instead: images to train on; others to validate and test are at hand.", show_default="from --images"
        ),
    ] = None
    reachable: Annotated[
        float | None, typer.Option(help="Images you could have, counted alike.", show_default="no more")
    ] = None
    target_error: Annotated[
        float | None, typer.Option(help="The error you need, such as 0.05 for 5 %.", show_default="none")
    ] = None
    max_parameters: Annotated[
        float | None, typer.Option(help="The largest student, in parameters.", show_default="no limit")
    ] = None
    max_latency_ms: Annotated[
        float | None, typer.Option(help="The slowest student, in ms an image; see --deploy.", show_default="no limit")
    ] = None
    max_size_mb: Annotated[
        float | None,
        typer.Option(help="The largest, in MB of its file with --deploy, else of weights.", show_default="no limit"),
    ] = None
    hourly_price: Annotated[
        float | None,
        typer.Option(help="What an hour of the machine costs.", show_default="none", rich_help_panel=PRICES),
    ] = None
    teacher_exists: Annotated[
        bool, typer.Option("--teacher-exists", help="The teacher's pass is already paid.", rich_help_panel=PRICES)
    ] = False
    students_sharing: Annotated[
        int, typer.Option(help="How many students share the teacher's pass.", rich_help_panel=PRICES)
    ] = 1
    hub: Annotated[
        bool, typer.Option("--hub/--no-hub", help="Published weights may start the student.", rich_help_panel=PRICES)
    ] = True

    def device_budget(self) -> str | None:
        """The size that a suggested student may have, as `--device-budget` writes it."""
        limits = [self.max_size_mb, None if self.max_parameters is None else self.max_parameters * 4 / 1e6]
        known = [limit for limit in limits if limit is not None]
        return f"{min(known):g}MB" if known else None

    def needs(self) -> Needs:
        """As `azeotrope.advise` takes them."""
        from azeotrope.advice.needs.limits import Needs

        return Needs(**asdict(self))


@dataclass(frozen=True)
class Making(Group):
    """The runs that are made first where RUNS are images."""

    panel = "Where RUNS are images: the runs to make first"

    student: options.ChosenStudents = None
    teacher: options.ChosenTeacher = None
    teacher_bands: options.TeacherBands = None
    budget: options.Budget = None
    out: Annotated[str, typer.Option("--out", metavar="FOLDER", help="Folder or URL where these runs are kept.")] = (
        "azeotrope-advise"
    )


@dataclass(frozen=True, kw_only=True)
class Judging(Group):
    """How curves are judged."""

    practical: fitting.Practical = PRACTICAL
    drawn: fitting.Draws

    def options(self) -> dict[str, float]:
        """As `azeotrope.advise` takes them."""
        return {"practical": self.practical, "draws": self.drawn.draws, "seed": self.drawn.draw_seed}


def command(
    runs: Annotated[str, typer.Argument(metavar="RUNS", help="Folder or URL of runs, or a table; or images.")],
    *,
    wanted: Wanted,
    making: Making,
    labels: Labels,
    columns: Columns,
    judging: Judging,
    deploy: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="Judge by the files of this target, which compare --deploy measured.",
            show_default="the networks",
        ),
    ] = None,
    typed: Typed,
    as_json: options.AsJson = False,
) -> None:
    """Which strategy for your needs, what it will reach and cost, and what would change the answer.

    RUNS may be images, too: a folder or a source of them, or a table with --student or --kind. Then the runs that
    decide are made first.

    Example: azeotrope advise result/ --images 2000 --target-error 0.1 --max-parameters 5e6
    """
    import azeotrope
    from azeotrope.reporting.texts import advice_text

    if holds_images(runs, insisted=bool(making.student or labels.flags())):
        idle = (*columns.flags(), *typed.of_these("deploy"))
        refuse_idle(idle, "the runs that are made here are networks, with columns of known names")
        advice = _from_images(runs, wanted, making, labels, judging)
    else:
        idle = (*typed.of_these("student", "teacher", "teacher_bands", "budget", "out"), *labels.flags())
        refuse_idle(idle, "RUNS are runs; these make runs of images", "leave them out, or name images")
        advice = azeotrope.advise(runs, wanted.needs(), columns=columns.spec(), deploy=deploy, **judging.options())  # type: ignore[arg-type]
    if as_json:
        printing.print_json(advice_text.document(advice))
    else:
        printing.show(advice_text.text(advice))


def _from_images(data: str, wanted: Wanted, making: Making, labels: Labels, judging: Judging) -> Advice:
    """The runs are made first, with their progress on standard error."""
    from azeotrope.api.advise_data import advise_data
    from azeotrope.cli._terminal import sweep as shown

    spec, needs = labels.spec(), wanted.needs()
    size = None if needs.at is None else [round(needs.at)]
    with shown.Watched() as watched:
        bands = words.teacher_bands(making.teacher_bands)
        models = Models(making.student, making.teacher, wanted.device_budget(), teacher_bands=bands)
        models = models.filled(data, size, None, {"labels": spec}, watched)
        if bands and not models.teacher:
            refuse_idle(("--teacher-bands",), "no teacher is named", "name one with --teacher, or leave them out")
        return advise_data(
            data,
            needs,
            students=words.names(models.student) or (),
            teachers=models.teachers(),
            labels=spec,
            budget=making.budget,
            out=making.out,
            progress=watched,
            view=watched,
            judging=judging.options(),
        )
