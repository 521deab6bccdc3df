"""`azeotrope boundary`: a thin call of `azeotrope.boundary`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azeotrope.cli import _columns as mapping
from azeotrope.cli import _options as options


def command(
    runs: Annotated[str, typer.Argument(metavar="RUNS", help="Folder or URL of runs, a CSV or a Parquet table.")],
    *,
    axis: Annotated[str, typer.Option(help="train_images, pretrain_images or parameters.")] = "train_images",
    challenger: Annotated[str | None, typer.Option(help="The arm in question; by default the distilled one.")] = None,
    baseline: Annotated[str | None, typer.Option(help="The arm it must beat.")] = None,
    at: Annotated[str | None, typer.Option(help="Your own sizes, such as 1000,5000.")] = None,
    columns: mapping.Columns,
    law: Annotated[str, typer.Option(help="One law by name, or the weighted average of all that apply.")] = "average",
    priors: Annotated[bool, typer.Option("--priors/--no-priors", help="Weak priors on floors and exponents.")] = True,
    draws: Annotated[int, typer.Option(help="How many joint draws of all curves.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the draws; the same seed gives the same answer.")] = 0,
    practical: Annotated[float, typer.Option(help="A difference of error that counts as none.")] = 0.005,
    plot: Annotated[Path | None, typer.Option(help="Draw the difference: a .svg, .png or .html file.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Where two strategies swap places, how surely, and which run to make next.

    Example: azeotrope boundary runs.csv --x images=n_train --error top1_err --by method --at 1000
    """
    import azeotrope
    from azeotrope.reporting import boundary_text, difference, render

    found = azeotrope.boundary(
        runs,
        axis=axis,
        challenger=challenger,
        baseline=baseline,
        at=mapping.numbers(at, "--at"),
        columns=columns.spec(),
        law=law,
        priors=priors,
        draws=draws,
        seed=seed,
        practical=practical,
    )
    if plot is not None:
        render.save(difference.figure(difference.numbers(found)), plot)
    if as_json:
        options.print_json(boundary_text.document(found))
    else:
        mapping.show(boundary_text.text(found))
