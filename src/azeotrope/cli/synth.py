"""`azeotrope synth`: a thin call of `azeotrope.synth`."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from azeotrope.cli import _groups as groups
from azeotrope.cli import _options as options
from azeotrope.errors import InputError
from azeotrope.plan import TeacherSpec

_IDLE = {  # what has no effect beside each way to make pictures
    "--train": ("kind", "strength", "template", "descriptions", "revision"),
    "--kind text": ("strength", "training_steps"),
    "--kind vary": ("template", "descriptions", "training_steps"),
    "--kind mix": ("template", "descriptions", "training_steps"),
}


class KindName(StrEnum):
    """What `--kind` takes."""

    text = "text"
    vary = "vary"
    mix = "mix"


class FormatName(StrEnum):
    """What `--format` takes."""

    png = "png"
    jpeg = "jpeg"


def command(
    data: options.Data,
    teacher: Annotated[str, typer.Option("--teacher", "-t", help="The pretrained model that judges the pictures.")],
    generator: Annotated[
        str | None, typer.Option("--generator", "-g", help="A diffusers pipeline: hub id or local folder.")
    ] = None,
    train: Annotated[bool, typer.Option("--train", help="Train a small generator on this run's own images.")] = False,
    kind: Annotated[
        KindName | None,
        typer.Option("--kind", help="With --generator: from text (the default), or redraw own images (vary, mix)."),
    ] = None,
    per_class: Annotated[int | None, typer.Option("--per-class", help="Pictures made of each class.")] = None,
    multiple: Annotated[
        str | None, typer.Option("--multiple", help="Pictures made, as a multiple of the training images: 2x.")
    ] = None,
    out: options.Out = Path("azeotrope-synth"),
    train_images: options.TrainImages = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="A set for each of so many paired seeds.")] = 1,
    seed: Annotated[int | None, typer.Option("--seed", help="A set for this seed only.")] = None,
    teacher_size: options.TeacherSize = None,
    template: Annotated[
        list[str] | None, typer.Option("--template", help="Prompt with {class} in it; several are taken in turn.")
    ] = None,
    descriptions: Annotated[
        Path | None, typer.Option("--descriptions", help="File with lines: class = words for the prompt.")
    ] = None,
    agreement: Annotated[
        float, typer.Option("--agreement", min=0, max=1, help="The teacher's probability of the class, at least.")
    ] = 0.5,
    diverse: Annotated[
        int | None, typer.Option("--diverse", min=1, help="Keep at most so many of a class, unlike each other.")
    ] = None,
    training_steps: Annotated[
        int | None, typer.Option("--training-steps", min=1, help="With --train: steps of the generator's training.")
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Steps of sampling.")] = None,
    guidance: Annotated[float | None, typer.Option("--guidance", min=0, help="How much the class is stressed.")] = None,
    strength: Annotated[
        float | None, typer.Option("--strength", help="With vary and mix: how far from the image, up to 1 (0.6).")
    ] = None,
    picture_size: Annotated[int | None, typer.Option("--picture-size", min=8, help="Pixels of a picture.")] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="Of the hub's repository.")] = None,
    batch_images: Annotated[int, typer.Option("--batch-images", min=1, help="Pictures made at once.")] = 32,
    picture_format: Annotated[FormatName, typer.Option("--format", help="Of the files.")] = FormatName.png,
    *,
    precision: options.Precision = None,
    held_out: options.HeldOut = None,
    machine: groups.Machine,
    as_json: options.AsJson = False,
) -> None:
    """Make pictures with a generative model and keep those that the teacher recognises.

    Example: azeotrope synth fashion-mnist --train -t tf_efficientnet_lite0 -n 1000 --multiple 2x
    """
    import azeotrope
    from azeotrope.cli._progress import Shown
    from azeotrope.spec import validated
    from azeotrope.synthesis.names import read_descriptions
    from azeotrope.synthesis.page import PAGE
    from azeotrope.synthesis.spec import FilterSpec, GeneratorSpec

    if train == (generator is not None):
        raise InputError(
            "Pictures need one generator",
            found="both --train and --generator" if train else "neither --train nor --generator",
            allowed="--train for one of your own, or --generator with a hub id or folder",
        )
    drawn = (kind or KindName.text).value
    _check_together(
        "--train" if train else f"--kind {drawn}",
        kind=kind,
        strength=strength,
        template=template,
        descriptions=descriptions,
        revision=revision,
        training_steps=training_steps,
    )
    content: dict[str, Any] = {
        "kind": "own" if train else drawn,
        "model": generator,
        "revision": revision,
        "steps": steps,
        "guidance": guidance,
        "descriptions": read_descriptions(descriptions) if descriptions else {},
    }
    if train:
        changes = {"steps": training_steps, "picture_size": picture_size}
        content["training"] = {key: value for key, value in changes.items() if value is not None}
    else:
        content["picture_size"] = picture_size
    if template:
        content["templates"] = template
    if strength is not None:
        content["strength"] = strength
    judged_by = validated(FilterSpec, {"agreement": agreement, "diverse": diverse})
    asked = options.given({"precision": precision, "held_out": held_out})
    spec = validated(TeacherSpec, {"model": teacher, "image_size": teacher_size})
    with Shown() as progress:
        sets = azeotrope.synth(
            data,
            teacher=spec,
            generator=validated(GeneratorSpec, content, what="generator"),
            out=out,
            per_class=per_class,
            multiple=options.multiple(multiple),
            train_images=train_images,
            seeds=range(seeds) if seed is None else [seed],
            judged_by=judged_by,
            batch_images=batch_images,
            picture_format=picture_format.value,
            **asked,
            **machine.options(),
            progress=progress,
        )
    if as_json:
        options.print_document(sets=[{**asdict(done), "folder": str(done.folder)} for done in sets])
        return
    for done in sets:
        typer.echo(f"{done.kept:,} of {done.made:,} pictures kept: {done.folder / PAGE}")
        for warning in done.warnings:
            typer.echo(f"Note: {warning}")
    typer.echo(f"Use them: azeotrope compare {data} --synth {out} --arms distill,distill+synth ...")


def _check_together(way: str, **given: object) -> None:
    """Raise InputError for options that would be passed over in silence."""
    idle = [name for name in _IDLE[way] if given[name] is not None and given[name] != []]
    if idle:
        raise InputError(
            "These options do not go together",
            found=", ".join(f"--{name.replace('_', '-')}" for name in idle) + f" beside {way}",
            allowed="--kind and --revision for --generator, --template and --descriptions for text, "
            "--strength for vary and mix, --training-steps for --train",
            next_step="leave out what has no effect",
        )
