"""`azeotrope fit`: a thin call of `azeotrope.fit`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from azeotrope.cli import _columns as mapping
from azeotrope.cli import _options as options


class LossName(StrEnum):
    """What a residual costs."""

    squared = "squared"
    huber = "huber"


def command(
    runs: Annotated[str, typer.Argument(metavar="RUNS", help="Folder or URL of runs, a CSV or a Parquet table.")],
    *,
    at: Annotated[str | None, typer.Option(help="Sizes to predict at, such as 1000,5000.")] = None,
    forecast: Annotated[float | None, typer.Option(metavar="TARGET", help="How many images reach this error?")] = None,
    columns: mapping.Columns,
    law: Annotated[str, typer.Option(help="One law by name, or the weighted average of all that apply.")] = "average",
    loss: Annotated[LossName, typer.Option(help="Squares, or Huber's loss on log error.")] = LossName.squared,
    priors: Annotated[bool, typer.Option("--priors/--no-priors", help="Weak priors on floors and exponents.")] = True,
    bootstrap: Annotated[int, typer.Option(help="Draws behind the intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the draws; the same seed gives the same answer.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw curves and residuals: a .svg, .png or .html file.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """How error falls with images, model size or pretraining images, and what it will be elsewhere.

    Example: azeotrope fit runs.csv --x images=n_train --error top1_err --by method --at 1000,5000
    """
    import azeotrope
    from azeotrope.reporting import curves, fit_text, render

    fitted = azeotrope.fit(
        runs,
        at=mapping.numbers(at, "--at"),
        forecast=forecast,
        columns=columns.spec(),
        law=law,
        loss=loss.value,
        priors=priors,
        bootstrap=bootstrap,
        seed=seed,
    )
    if plot is not None:
        render.save(curves.figure(curves.numbers(fitted)), plot)
    if as_json:
        typer.echo(fitted.to_json())
    else:
        mapping.show(fit_text.text(fitted))
