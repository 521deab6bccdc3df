"""Options of how a student is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from azeotrope.cli._options import choices, words
from azeotrope.cli._options.spread import Group, given

RULE = "the recipe's rule"
_SIMPLE = (  # fields of a recipe that are written as they are
    *("epochs", "patience", "batch_images", "accumulate", "schedule", "weight_average", "metric"),
    *("class_weights", "sampling", "logit_adjustment"),
)


@dataclass(frozen=True)
class Recipe(Group):
    """What replaces the recipe's own rules."""

    panel: ClassVar[str] = "Training"

    epochs: Annotated[int | None, typer.Option("--epochs", help="Passes over the images.", show_default=RULE)] = None
    patience: Annotated[
        float | None,
        typer.Option("--patience", help="How many times as long every arm trains, 1 or more.", show_default="1"),
    ] = None
    batch_images: Annotated[int | None, typer.Option("--batch-images", help="Images a step.", show_default=RULE)] = None
    accumulate: Annotated[
        int | None,
        typer.Option("--accumulate", help="Parts in which a batch is computed, to save memory.", show_default="1"),
    ] = None
    learning_rates: Annotated[
        str | None,
        typer.Option(
            "--learning-rates", metavar="RATE,...", help="Rates to choose from on validation.", show_default=RULE
        ),
    ] = None
    schedule: Annotated[
        choices.Schedule | None,
        typer.Option("--schedule", help="Of the learning rate after its warm-up.", show_default="cosine"),
    ] = None
    weight_average: Annotated[
        float | None,
        typer.Option(
            "--weight-average",
            help="Average the weights over this last share of the steps; 0 keeps the best epoch on validation.",
            show_default="0.05",
        ),
    ] = None
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="MEASURE",
            help="What chooses and is judged: error, balanced_error, top5_error or file:PATH.py:FUNCTION.",
            show_default="error",
        ),
    ] = None
    class_weights: Annotated[
        str | None,
        typer.Option(
            "--class-weights",
            metavar="off|auto|FILE",
            help="Weights of the classes in the loss on labels: auto by their images, or a CSV or YAML file.",
            show_default="off",
        ),
    ] = None
    sampling: Annotated[
        choices.Sampling | None,
        typer.Option("--sampling", help="balanced: shows every class as often as any other.", show_default="shuffled"),
    ] = None
    logit_adjustment: Annotated[
        float | None,
        typer.Option(
            "--logit-adjustment",
            metavar="TAU",
            help="Adds TAU times the log of the class shares to the outputs in the loss on labels; 1 is usual.",
            show_default="0",
        ),
    ] = None
    views: Annotated[
        str | None,
        typer.Option(
            "--views",
            metavar="N|live",
            help="Different views of each image, reused in turn; live: new ones in every epoch.",
            show_default=RULE,
        ),
    ] = None
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror", help="Whether a mirror image keeps its class.", show_default="yes, but for digits"
        ),
    ] = None

    def changes(self) -> dict[str, Any]:
        """As the public functions take them; absent options stay absent."""
        changes = given({key: getattr(self, key) for key in _SIMPLE}) | words.views(self.views)
        if self.learning_rates:
            changes["learning_rates"] = list(words.numbers(self.learning_rates, "--learning-rates", "5e-4,2e-3"))
        if self.mirror is not None:
            changes["policy"] = {"mirror": self.mirror}
        return changes
