"""`azeotrope compare`: a thin call of `azeotrope.compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from azeotrope.cli._options import groups, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.models import Models, refuse_unused
from azeotrope.cli._options.spread import Typed, refuse_idle
from azeotrope.cli._terminal import printing
from azeotrope.cli._terminal.final import final_command


def command(
    data: options.Data,
    *,
    student: options.ChosenStudent = None,
    teacher: options.ChosenTeacher = None,
    device_budget: options.DeviceBudget = None,
    out: options.Out = Path("azeotrope-compare"),
    train_images: options.Sizes = None,
    arms: options.Arms = None,
    losses: Annotated[
        str | None,
        typer.Option(
            "--losses",
            metavar="LOSSES,...",
            help="Of distill arms that name none: kl+align_uniform=0.5. Among several, validation chooses.",
            show_default="kl+align_uniform",
        ),
    ] = None,
    seeds: Annotated[
        str,
        typer.Option("--seeds", metavar="N|auto", help="Paired seeds, 3 or more for a verdict; auto: until decided."),
    ] = "3",
    folds: options.Folds = None,
    deploy: options.Deploy = None,
    workers: options.Workers = None,
    track: options.Track = None,
    teaching: groups.Teaching,
    further: groups.Options,
    typed: Typed,
    as_json: options.AsJson = False,
) -> None:
    """Train one student in every sensible way at equal budget, and say which way is better, and how surely.

    Without --student the program chooses one, and a teacher too unless you name it, and says why.

    Example: azeotrope compare photos/ -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.cli._terminal.progress import Shown
    from azeotrope.reporting.page.files import PAGE
    from azeotrope.reporting.page.files import as_json as document
    from azeotrope.reporting.texts.table import WIDTH, table

    sizes, asked = words.counts(train_images), further.options()
    refuse_unused(words.names(arms), teacher=teacher, upstream=further.upstream.upstream)
    if student is not None:
        refuse_idle(typed.of_these("device_budget"), "--student names the student", "leave one of the two out")
    with Shown() as progress:
        models = Models(student, teacher, device_budget, teacher_bands=teaching.bands)
        chosen = models.filled(data, sizes, words.names(arms), asked, progress)
        found = azeotrope.compare(
            data,
            student=chosen.named,
            teacher=teaching.spec(chosen.teacher, chosen.teacher_size),
            out=out,
            train_images=sizes,
            arms=words.names(arms),
            losses=words.names(losses),
            seeds=words.seeds(seeds),
            folds=folds,
            deploy=words.names(deploy) or (),
            workers=workers or 1,
            track=words.names(track) or (),
            progress=progress,
            **asked,
        )
    comparisons = found if isinstance(found, tuple) else (found,)
    comparison = comparisons[-1]
    if as_json:
        printing.print_json(document(comparisons))
    else:
        console = Console(width=min(WIDTH, Console().width))
        for each in comparisons:
            console.print(table(each))
        typer.echo(f"Report: {out / PAGE}")
    if comparison.winner is None:
        raise typer.Exit(1)
    if not as_json:
        saved = [out / "models" / run_id for run_id in comparison.arm(comparison.winner).run_ids]
        typer.echo(f"Use it: azeotrope predict {next(folder for folder in saved if folder.exists())} IMAGE")
        if comparison.folds:
            typer.echo(
                f"This model is of one of {comparison.folds} folds. For one of nearly all images:\n"
                f"{final_command(typed, comparison.winner, chosen, out)}"
            )
