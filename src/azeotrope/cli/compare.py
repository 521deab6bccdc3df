"""`azeotrope compare`: a thin call of `azeotrope.compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from azeotrope.cli import _groups as groups
from azeotrope.cli import _options as options
from azeotrope.errors import InputError


def command(
    data: options.Data,
    student: options.Student,
    *,
    teacher: options.Teacher = None,
    out: options.Out = Path("azeotrope-compare"),
    train_images: options.Sizes = None,
    arms: Annotated[
        str | None,
        typer.Option("--arms", help="Comma-separated, such as scratch,distill:kl (all that are possible here)."),
    ] = None,
    losses: Annotated[
        str | None,
        typer.Option(
            "--losses",
            help="Of distill arms that name none: kl+align_uniform=0.5; several, comma-separated: validation chooses.",
        ),
    ] = None,
    seeds: Annotated[
        str,
        typer.Option("--seeds", metavar="N|auto", help="Paired seeds, 3 or more for a verdict; auto: until decided."),
    ] = "3",
    deploy: options.Deploy = None,
    teaching: groups.Teaching,
    further: groups.Options,
    as_json: options.AsJson = False,
) -> None:
    """Train one student in every sensible way at equal budget, and say which way is better, and how surely.

    Example: azeotrope compare photos/ -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.cli._progress import Shown
    from azeotrope.reporting.files import PAGE
    from azeotrope.reporting.files import as_json as document
    from azeotrope.reporting.table import WIDTH, table

    with Shown() as progress:
        found = azeotrope.compare(
            data,
            student=student,
            teacher=teaching.spec(teacher),
            out=out,
            train_images=options.counts(train_images),
            arms=options.names(arms),
            losses=options.names(losses),
            seeds=_seeds(seeds),
            deploy=options.names(deploy) or (),
            progress=progress,
            **further.options(),
        )
    comparisons = found if isinstance(found, tuple) else (found,)
    comparison = comparisons[-1]
    if as_json:
        options.print_json(document(comparisons))
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


def _seeds(text: str) -> int | Literal["auto"]:
    """`3` or `auto`. Raises InputError for anything else."""
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            "--seeds is a number of paired seeds, or auto",
            found=text,
            allowed="1 or more (3 for a verdict), or auto",
            next_step="correct --seeds",
        )
    return int(text)
