"""`azeotrope predict`: a thin call of `azeotrope.predict`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from azeotrope.cli import _options as options


def command(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="Where compare or distill saved it: --out, or one of its models.")
    ],
    images: Annotated[list[str], typer.Argument(metavar="IMAGES", help="Image files, or folders of them.")],
    top: Annotated[int, typer.Option("--top", min=1, help="How many classes to name.")] = 3,
    as_json: options.AsJson = False,
) -> None:
    """Classify images with a saved model.

    Example: azeotrope predict azeotrope-compare photo.jpg
    """
    import azeotrope

    predictions = azeotrope.predict(model, images, top=top)
    if as_json:
        options.print_json([asdict(prediction) for prediction in predictions])
        return
    for prediction in predictions:
        said = zip(prediction.classes, prediction.probabilities, strict=True)
        typer.echo(f"{prediction.image}: " + ", ".join(f"{name} {100 * share:.1f} %" for name, share in said))
