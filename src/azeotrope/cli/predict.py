"""`azeotrope predict`: a thin call of `azeotrope.predict`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from azeotrope.cli._options import shared as options
from azeotrope.cli._terminal import printing
from azeotrope.record.kinds import number_text, one_line

if TYPE_CHECKING:
    from azeotrope.api.predict import Prediction


def command(
    model: options.Model,
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGES", help="Image files, folders, patterns or URLs; - reads standard input."),
    ],
    top: Annotated[
        int | None,
        typer.Option("--top", min=1, help="How many classes to name, of a model that gives one.", show_default="3"),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            min=0,
            max=1,
            help="Least probability of a class, of a model that gives any number of them.",
            show_default="0.5",
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Use a saved model on images.

    Example: azeotrope predict azeotrope-compare photo.jpg

    A file that cannot be read is named on standard error, the others are classified, and the exit status is 1.
    """
    import azeotrope

    predictions = azeotrope.predict(model, images, top=top, threshold=threshold)
    if as_json:
        printing.print_document(predictions=[asdict(prediction) for prediction in predictions])
    else:
        _show(predictions)
    if any(prediction.problem for prediction in predictions):
        raise typer.Exit(1)


def _show(predictions: Iterable[Prediction]) -> None:
    """One line an image; what could not be read goes to standard error."""
    for prediction in predictions:
        if prediction.problem:
            typer.echo(f"{prediction.image}: cannot be read: {prediction.problem}", err=True)
            continue
        typer.echo(f"{prediction.image}: {_said(prediction)}")


def _said(prediction: Prediction) -> str:
    if prediction.value is not None:
        return number_text(prediction.value) + (f" {prediction.unit}" if prediction.unit else "")
    said = zip(prediction.classes, prediction.probabilities, strict=True)
    return ", ".join(f"{one_line(name)} {100 * share:.1f} %" for name, share in said) or "none of the classes"
