"""`azeotrope boundary`: a thin call of `azeotrope.boundary`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azeotrope.boundaries.boundary import PRACTICAL
from azeotrope.cli._options import fitting, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.columns import Columns
from azeotrope.cli._terminal import printing


def command(
    runs: options.Runs,
    *,
    challenger: Annotated[
        str | None, typer.Option(metavar="ARM", help="The arm in question.", show_default="the distilled one")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="ARM", help="The arm it must beat.", show_default="the other one")
    ] = None,
    at: fitting.At = None,
    axis: Annotated[
        str, typer.Option(metavar="AXIS", help="train_images, pretrain_images or parameters.")
    ] = "train_images",
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the difference: a .svg, .png or .html file.", show_default="none"),
    ] = None,
    columns: Columns,
    laws: fitting.Laws,
    practical: fitting.Practical = PRACTICAL,
    as_json: options.AsJson = False,
) -> None:
    """Where two strategies swap places, how surely, and which run to make next.

    Example: azeotrope boundary runs.csv --x images=n_train --error top1_err --by method --at 1000
    """
    import azeotrope
    from azeotrope.reporting.drawing import difference, render
    from azeotrope.reporting.texts import boundary_text

    found = azeotrope.boundary(
        runs,
        axis=axis,
        challenger=challenger,
        baseline=baseline,
        at=words.numbers(at, "--at"),
        columns=columns.spec(),
        law=laws.law,
        priors=laws.priors,
        draws=laws.drawn.draws,
        seed=laws.drawn.draw_seed,
        practical=practical,
    )
    if plot is not None:
        render.save(difference.figure(difference.numbers(found)), plot)
    if as_json:
        printing.print_json(boundary_text.document(found))
    else:
        printing.show(boundary_text.text(found))
