"""`azeotrope check`: a thin call of `azeotrope.check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from azeotrope.cli import _groups as groups
from azeotrope.cli import _options as options
from azeotrope.plan import HELD_OUT


def command(
    data: options.Data,
    *,
    student: Annotated[str, typer.Option("--student", "-s", help="The small model to forecast for.")] = "resnet10t",
    teacher: options.Teacher = None,
    train_images: options.TrainImages = None,
    arms: Annotated[str | None, typer.Option("--arms", help="Arms to forecast, as in compare.")] = None,
    seeds: options.Seeds = 3,
    teacher_size: options.TeacherSize = None,
    image_size: options.ImageSize = None,
    recipe: groups.Recipe,
    cache: options.Cache = None,
    labels: groups.Labels,
    held_out: options.HeldOut = HELD_OUT,
    as_json: options.AsJson = False,
) -> None:
    """Audit the images, measure this machine for some seconds, and say how long a comparison would take.

    Example: azeotrope check digits -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.cli._check import show
    from azeotrope.cli._progress import Shown
    from azeotrope.session.workshop import Request

    request = Request(
        data=data,
        student=student,
        teacher=options.teacher_spec(teacher, teacher_size),
        train_images=None if train_images is None else [train_images],
        arms=options.names(arms),
        seeds=range(seeds),
        image_size=image_size,
        recipe=recipe.changes(),
        cache=cache,
        labels=labels.spec(),
        held_out=held_out,
    )
    with Shown() as progress:
        found = azeotrope.check(request, progress)
    if as_json:
        content = asdict(found)
        if found.forecast is not None:
            content["forecast"]["total_seconds"] = found.forecast.total_seconds
        options.print_document(**content)
    else:
        show(found, Console(width=min(100, Console().width)))
    if found.refusal is not None:
        if not as_json:
            Console(stderr=True).print(Text(f"azeotrope: {found.refusal}", style="red"), soft_wrap=True)
        raise typer.Exit(2)
