"""`azeotrope fit`: a thin call of `azeotrope.fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azeotrope.cli._options import choices, fitting, words
from azeotrope.cli._options import shared as options
from azeotrope.cli._options.columns import Columns
from azeotrope.cli._options.spread import Typed, refuse_idle
from azeotrope.cli._terminal import printing


def command(
    runs: options.Runs,
    *,
    at: fitting.At = None,
    forecast: Annotated[
        float | None, typer.Option(metavar="TARGET", help="How many images reach this error?", show_default="none")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw curves and residuals: a .svg, .png or .html file.", show_default="none"
        ),
    ] = None,
    columns: Columns,
    laws: fitting.Laws,
    residual_loss: Annotated[
        choices.Residuals, typer.Option(help="Squares, or Huber's loss on log error.", rich_help_panel="Curves")
    ] = choices.Residuals.squared,
    typed: Typed,
    as_json: options.AsJson = False,
) -> None:
    """How error falls with images, model size or pretraining images, and what it will be elsewhere.

    Without draws (--draws 0) the answer has no intervals.

    Example: azeotrope fit runs.csv --x images=n_train --error top1_err --by method --at 1000,5000
    """
    import azeotrope
    from azeotrope.reporting.drawing import curves, render
    from azeotrope.reporting.texts import fit_text

    if not laws.drawn.draws:
        refuse_idle(typed.of_these("draw_seed"), "--draws 0 draws nothing")
    fitted = azeotrope.fit(
        runs,
        at=words.numbers(at, "--at"),
        forecast=forecast,
        columns=columns.spec(),
        law=laws.law,
        loss=residual_loss.value,
        priors=laws.priors,
        draws=laws.drawn.draws,
        seed=laws.drawn.draw_seed,
    )
    if plot is not None:
        render.save(curves.figure(curves.numbers(fitted)), plot)
    if as_json:
        typer.echo(fitted.to_json())
    else:
        printing.show(fit_text.text(fitted))
