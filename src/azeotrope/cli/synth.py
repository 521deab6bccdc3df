"""`azeotrope synth`: a thin call of `azeotrope.synth`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from azeotrope.cli._options import generating, groups
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.labels import Labels
from azeotrope.cli._options.spread import given
from azeotrope.cli._terminal import printing
from azeotrope.plan import TeacherSpec
from azeotrope.spec import validated


def command(
    data: options.Data,
    *,
    teacher: Annotated[
        str,
        typer.Option("--teacher", "-t", metavar="MODEL", help="The pretrained model that judges the pictures."),
    ],
    sets: generating.Sets,
    generator: generating.Generator,
    judged: generating.Filter,
    labels: Labels,
    out: options.Out = Path("azeotrope-synth"),
    held_out: options.HeldOut = None,
    precision: options.Precision = None,
    machine: groups.Machine,
    as_json: options.AsJson = False,
) -> None:
    """Make pictures with a generative model and keep those that the teacher recognises.

    Example: azeotrope synth fashion-mnist --train -t tf_efficientnet_lite0 -n 1000 --multiple 2x
    """
    import azeotrope
    from azeotrope.cli._terminal.progress import Shown
    from azeotrope.synthesis.page import PAGE

    spec = validated(TeacherSpec, {"model": teacher, "image_size": judged.teacher_size})
    asked = given({"precision": precision, "held_out": held_out})
    with Shown() as progress:
        done = azeotrope.synth(
            data,
            teacher=spec,
            generator=generator.spec(),
            out=out,
            sets=sets.spec(),
            judged_by=judged.spec(),
            files=judged.files(),
            labels=labels.spec(),
            progress=progress,
            **asked,
            **machine.options(),
        )
    if as_json:
        printing.print_document(sets=[{**asdict(each), "folder": str(each.folder)} for each in done])
        return
    for each in done:
        typer.echo(f"{each.kept:,} of {each.made:,} pictures kept: {each.folder / PAGE}")
        for warning in each.warnings:
            typer.echo(f"Note: {warning}")
    typer.echo(f"Use them: azeotrope compare {data} --synth {out} --arms distill,distill+synth ...")
