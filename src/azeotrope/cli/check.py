"""`azeotrope check`: a thin call of `azeotrope.check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from azeotrope.cli._options import groups, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.models import refuse_unused
from azeotrope.cli._terminal import printing


def command(
    data: options.Data,
    *,
    student: options.Student = "resnet10t",
    teacher: options.Teacher = None,
    train_images: options.Sizes = None,
    arms: options.Arms = None,
    seeds: options.Seeds = 3,
    suspect_labels: Annotated[
        str | None,
        typer.Option(
            "--suspect-labels",
            metavar="FILE",
            help="A new CSV file: images whose label --teacher contradicts, the surest first.",
            show_default="none",
        ),
    ] = None,
    teaching: groups.Teaching,
    further: groups.Options,
    as_json: options.AsJson = False,
) -> None:
    """Audit the images, measure this machine for some seconds, and say how long a comparison would take.

    Example: azeotrope check digits -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.cli._terminal.check import show
    from azeotrope.cli._terminal.progress import Shown

    asked = further.options()
    refuse_unused(words.names(arms), teacher=None if suspect_labels else teacher, upstream=further.upstream.upstream)
    with Shown() as progress:
        found = azeotrope.check(
            data,
            student=student,
            teacher=teaching.spec(teacher),
            train_images=words.counts(train_images),
            arms=words.names(arms),
            seeds=seeds,
            suspect_labels=suspect_labels,
            progress=progress,
            **asked,
        )
    if as_json:
        content = asdict(found)
        if found.forecast is not None:
            content["forecast"]["total_seconds"] = found.forecast.total_seconds
        printing.print_document(**content)
    else:
        show(found, Console(width=min(printing.WIDTH, Console().width)))
    if found.refusal is not None:
        if not as_json:
            Console(stderr=True).print(Text(f"azeotrope: {found.refusal}", style="red"), soft_wrap=True)
        raise typer.Exit(2)
