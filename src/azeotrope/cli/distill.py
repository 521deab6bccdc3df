"""`azeotrope distill`: a thin call of `azeotrope.distill`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azeotrope.cli import _options as options


def command(
    data: options.Data,
    student: options.Student,
    teacher: options.Teacher,
    out: options.Out = Path("azeotrope-distill"),
    train_images: options.TrainImages = None,
    arm: Annotated[str, typer.Option("--arm", help="How: distill, distill:kl, distill@hub, ...")] = "distill",
    seed: Annotated[int, typer.Option("--seed", help="Seed of init, order and subset.")] = 0,
    teacher_size: options.TeacherSize = None,
    teacher_head: options.TeacherHead = options.HeadName.linear,
    image_size: options.ImageSize = None,
    upstream: options.Upstream = None,
    pretrain_images: options.PretrainImages = None,
    unlabelled: options.Unlabelled = None,
    synth: options.Synth = None,
    synth_as: options.SynthAs = options.SynthUse.distill,
    mix: options.Mix = 1.0,
    epochs: options.Epochs = None,
    batch_images: options.Batch = None,
    accumulate: options.Accumulate = None,
    learning_rates: options.Rates = None,
    views: options.Views = None,
    mirror: options.Mirror = None,
    precision: options.Precision = options.PrecisionName.auto,
    cache: options.Cache = None,
    cache_gb: options.CacheGb = None,
    verify_cache: options.VerifyCache = False,
    strict: options.Strict = False,
    kind: options.Kind = options.KindOption.single,
    label_column: options.LabelColumn = None,
    separator: options.Separator = None,
    unit: options.Unit = None,
    as_json: options.AsJson = False,
) -> None:
    """Train one student towards a teacher and save it, ready to use.

    Example: azeotrope distill digits -s resnet10t -t tf_efficientnet_lite0
    """
    import azeotrope
    from azeotrope.cli._progress import Shown
    from azeotrope.reporting import words

    pictures = options.pictures_spec(unlabelled, synth, synth_as, mix)
    with Shown() as progress:
        distilled = azeotrope.distill(
            data,
            student=student,
            teacher=options.teacher_spec(teacher, teacher_size, teacher_head),
            out=out,
            train_images=train_images,
            arm=options.arm_with(arm, pictures),
            seed=seed,
            image_size=image_size,
            upstream=options.upstream_spec(upstream, pretrain_images),
            pictures=pictures,
            recipe=options.recipe_changes(epochs, batch_images, learning_rates, views, mirror, accumulate),
            precision=precision.value,
            cache=cache,
            cache_gb=cache_gb,
            verify_cache=verify_cache,
            strict=strict,
            labels=options.label_spec(kind, label_column, separator, unit),
            progress=progress,
        )
    if as_json:
        options.print_json({"model": str(distilled.model), "record": distilled.record.model_dump(mode="json")})
    else:
        typer.echo(words.tested(distilled.record))
        typer.echo(f"Model: {distilled.model}\nUse it: azeotrope predict {distilled.model} IMAGE")
