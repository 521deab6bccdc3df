"""`azeotrope distill`: a thin call of `azeotrope.distill`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azeotrope.arm import Arm, Pictures
from azeotrope.cli._options import groups
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.models import refuse_unused
from azeotrope.cli._options.words import names
from azeotrope.cli._terminal import printing
from azeotrope.errors import InputError
from azeotrope.plan import PicturesSpec


def command(
    data: options.Data,
    student: options.Student,
    teacher: options.Teacher,
    *,
    out: options.Out = Path("azeotrope-distill"),
    train_images: options.TrainImages = None,
    arm: Annotated[
        str, typer.Option("--arm", metavar="ARM", help="How: distill, distill:kl, distill@hub, ...")
    ] = "distill",
    seed: Annotated[int, typer.Option("--seed", help="Seed of init, order and subset.")] = 0,
    track: options.Track = None,
    teaching: groups.Teaching,
    further: groups.Options,
    as_json: options.AsJson = False,
) -> None:
    """Train one student towards a teacher and save it, ready to use.

    Example: azeotrope distill photos/ -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.cli._terminal.progress import Shown
    from azeotrope.reporting import words

    asked = further.options()
    refuse_unused([arm], teacher=teacher, upstream=further.upstream.upstream)
    with Shown() as progress:
        distilled = azeotrope.distill(
            data,
            student=student,
            teacher=teaching.spec(teacher),
            out=out,
            train_images=train_images,
            arm=arm_with(arm, further.question.pictures.spec()),
            seed=seed,
            track=names(track) or (),
            progress=progress,
            **asked,
        )
    if as_json:
        printing.print_document(model=str(distilled.model), record=distilled.record.model_dump(mode="json"))
    else:
        typer.echo(words.tested(distilled.record))
        typer.echo(f"Model: {distilled.model}\nUse it: azeotrope predict {distilled.model} IMAGE")


def arm_with(arm: str, pictures: PicturesSpec | None) -> str:
    """Pictures that were named are used, unless the arm says which. Raises InputError where it says nothing and both
    kinds were named.
    """
    parsed = Arm.parse(arm)
    if pictures is None or parsed.pictures or parsed.strategy != "distill":
        return arm
    if pictures.synth and pictures.unlabelled:
        raise InputError(
            "One student learns from one kind of further pictures",
            found="both --unlabelled and --synth",
            next_step="give one of them, or compare both: azeotrope compare",
        )
    kind: Pictures = "synth" if pictures.synth else "unlabelled"
    return parsed.model_copy(update={"pictures": kind}).name
