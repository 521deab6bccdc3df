"""`azeotrope distill`: a thin call of `azeotrope.distill`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azeotrope.cli import _groups as groups
from azeotrope.cli import _options as options
from azeotrope.plan import HELD_OUT


def command(
    data: options.Data,
    student: options.Student,
    teacher: options.Teacher,
    *,
    out: options.Out = Path("azeotrope-distill"),
    train_images: options.TrainImages = None,
    arm: Annotated[str, typer.Option("--arm", help="How: distill, distill:kl, distill@hub, ...")] = "distill",
    seed: Annotated[int, typer.Option("--seed", help="Seed of init, order and subset.")] = 0,
    teacher_size: options.TeacherSize = None,
    teacher_head: options.TeacherHead = options.HeadName.linear,
    teacher_folds: options.TeacherFolds = None,
    image_size: options.ImageSize = None,
    upstream: groups.Upstream,
    pictures: groups.Pictures,
    recipe: groups.Recipe,
    precision: options.Precision = options.PrecisionName.auto,
    kept: groups.Kept,
    labels: groups.Labels,
    held_out: options.HeldOut = HELD_OUT,
    as_json: options.AsJson = False,
) -> None:
    """Train one student towards a teacher and save it, ready to use.

    Example: azeotrope distill digits -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.cli._progress import Shown
    from azeotrope.reporting import words

    further = pictures.spec()
    with Shown() as progress:
        distilled = azeotrope.distill(
            data,
            student=student,
            teacher=options.teacher_spec(teacher, teacher_size, teacher_head, teacher_folds),
            out=out,
            train_images=train_images,
            arm=options.arm_with(arm, further),
            seed=seed,
            image_size=image_size,
            upstream=upstream.spec(),
            pictures=further,
            recipe=recipe.changes(),
            precision=precision.value,
            cache=kept.cache,
            cache_gb=kept.cache_gb,
            verify_cache=kept.verify_cache,
            strict=kept.strict,
            seen_weights=kept.seen_weights,
            labels=labels.spec(),
            held_out=held_out,
            progress=progress,
        )
    if as_json:
        options.print_document(model=str(distilled.model), record=distilled.record.model_dump(mode="json"))
    else:
        typer.echo(words.tested(distilled.record))
        typer.echo(f"Model: {distilled.model}\nUse it: azeotrope predict {distilled.model} IMAGE")
