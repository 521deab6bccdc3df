"""`azeotrope check`: a thin call of `azeotrope.check`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from azeotrope.cli import _options as options


def command(
    data: options.Data,
    student: Annotated[str, typer.Option("--student", "-s", help="The small model to forecast for.")] = "resnet10t",
    teacher: options.Teacher = None,
    train_images: options.TrainImages = None,
    arms: Annotated[str | None, typer.Option("--arms", help="Arms to forecast, as in compare.")] = None,
    seeds: options.Seeds = 3,
    teacher_size: options.TeacherSize = None,
    image_size: options.ImageSize = None,
    epochs: options.Epochs = None,
    batch_images: options.Batch = None,
    learning_rates: options.Rates = None,
    views: options.Views = None,
    cache: options.Cache = None,
    kind: options.Kind = options.KindOption.single,
    label_column: options.LabelColumn = None,
    separator: options.Separator = None,
    unit: options.Unit = None,
    as_json: options.AsJson = False,
) -> None:
    """Audit the images, measure this machine for some seconds, and say how long a comparison would take.

    Example: azeotrope check digits -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.api.workshop import Request
    from azeotrope.cli._check import show
    from azeotrope.cli._progress import Shown

    request = Request(
        data=data,
        student=student,
        teacher=options.teacher_spec(teacher, teacher_size),
        train_images=None if train_images is None else [train_images],
        arms=options.names(arms),
        seeds=range(seeds),
        image_size=image_size,
        recipe=options.recipe_changes(epochs, batch_images, learning_rates, views, None),
        cache=cache,
        labels=options.label_spec(kind, label_column, separator, unit),
    )
    with Shown() as progress:
        found = azeotrope.check(request, progress)
    if as_json:
        content = asdict(found)
        content["forecast"]["total_seconds"] = found.forecast.total_seconds
        options.print_json(content)
    else:
        show(found, Console(width=min(100, Console().width)))
