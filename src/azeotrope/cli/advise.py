"""`azeotrope advise`: a thin call of `azeotrope.advise`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from azeotrope.cli import _columns as mapping
from azeotrope.cli import _options as options
from azeotrope.cli._groups import Group

if TYPE_CHECKING:
    from azeotrope.advice.answer import Advice
    from azeotrope.advice.limits import Needs


@dataclass(frozen=True)
class Wanted(Group):
    """The user's side."""

    images: Annotated[
        float | None, typer.Option(help="Labelled images you own, to train, validate and test (the largest size run).")
    ] = None
    train_images: Annotated[
        float | None, typer.Option(help="Instead: images to train on; others to validate and test are at hand.")
    ] = None
    reachable: Annotated[float | None, typer.Option(help="Images you could have, counted alike.")] = None
    target_error: Annotated[float | None, typer.Option(help="The error you need, such as 0.05 for 5 %.")] = None
    max_parameters: Annotated[float | None, typer.Option(help="The largest student, in parameters.")] = None
    max_latency_ms: Annotated[float | None, typer.Option(help="The slowest student, in ms an image; see --deploy.")] = (
        None
    )
    max_size_mb: Annotated[
        float | None, typer.Option(help="The largest, in MB of its file with --deploy, else of weights.")
    ] = None
    hourly_price: Annotated[float | None, typer.Option(help="What an hour of the machine costs.")] = None
    teacher_exists: Annotated[
        bool, typer.Option("--teacher-exists/--no-teacher-exists", help="The teacher's pass is already paid.")
    ] = False
    students_sharing: Annotated[int, typer.Option(help="How many students share the teacher's pass.")] = 1
    hub: Annotated[bool, typer.Option("--hub/--no-hub", help="Published weights may start the student.")] = True

    def needs(self) -> Needs:
        """As `azeotrope.advise` takes them."""
        from azeotrope.advice.limits import Needs

        return Needs(**asdict(self))


def command(
    runs: Annotated[str, typer.Argument(metavar="RUNS", help="Folder or URL of runs, or a table; or images.")],
    *,
    wanted: Wanted,
    students: Annotated[
        str | None, typer.Option("--students", "-s", help="RUNS are images: make the runs first, of these students.")
    ] = None,
    teachers: Annotated[str | None, typer.Option("--teacher", "-t", help="With --students: the teachers.")] = None,
    budget: Annotated[str | None, typer.Option(help="With --students: 1h, '40 runs'.")] = None,
    out: Annotated[str, typer.Option("--out", help="With --students: where runs are kept.")] = "azeotrope-advise",
    deploy: Annotated[
        str | None, typer.Option(help="Judge by the files of this target, which compare --deploy measured.")
    ] = None,
    columns: mapping.Columns,
    practical: Annotated[float, typer.Option(help="A difference of error that counts as none.")] = 0.005,
    draws: Annotated[int, typer.Option(help="How many joint draws of all curves.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the draws; the same seed gives the same answer.")] = 0,
    as_json: options.AsJson = False,
) -> None:
    """Which strategy for your needs, what it will reach and cost, and what would change the answer.

    Example: azeotrope advise result/ --images 2000 --target-error 0.1 --max-parameters 5e6
    """
    import azeotrope
    from azeotrope.reporting import advice_text

    if students:
        advice = _from_images(runs, wanted.needs(), students, teachers, budget, out)
    else:
        advice = azeotrope.advise(
            runs, wanted.needs(), columns=columns.spec(), deploy=deploy, practical=practical, draws=draws, seed=seed
        )
    if as_json:
        options.print_json(advice_text.document(advice))
    else:
        mapping.show(advice_text.text(advice))


def _from_images(data: str, needs: Needs, students: str, teachers: str | None, budget: str | None, out: str) -> Advice:
    """The runs are made first, with their progress on standard error."""
    from azeotrope.api.advise_data import advise_data
    from azeotrope.cli import _sweep as shown

    with shown.Watched() as watched:
        return advise_data(
            data,
            needs,
            students=options.names(students) or (),
            teachers=options.names(teachers) or (),
            budget=budget,
            out=out,
            progress=watched,
            view=watched,
        )
