"""Options of what images and their labels are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from azeotrope.cli._options import choices, words
from azeotrope.cli._options.spread import Group
from azeotrope.labels import LabelSpec
from azeotrope.spec import validated


@dataclass(frozen=True)
class Labels(Group):
    """What the labels are, and how tables, folders and files are read where they leave it open."""

    panel: ClassVar[str] = "Images and labels"
    called: ClassVar = {"label_column": "column"}

    kind: Annotated[
        choices.Kind | None,
        typer.Option(
            "--kind",
            help="What a table's labels are: one class an image, several, or a number.",
            show_default="single",
        ),
    ] = None
    label_column: Annotated[
        str | None,
        typer.Option(
            "--label-column", metavar="COLUMN", help="The table's labels or values.", show_default="found by its name"
        ),
    ] = None
    separator: Annotated[
        str | None,
        typer.Option("--separator", help="Stands between the labels of an image, with --kind multi.", show_default=";"),
    ] = None
    unit: Annotated[
        str | None,
        typer.Option("--unit", help="Shown behind the values, with --kind number.", show_default="none"),
    ] = None
    path_column: Annotated[
        str | None,
        typer.Option(
            "--path-column", metavar="COLUMN", help="The table's paths or URLs.", show_default="found by its name"
        ),
    ] = None
    split_column: Annotated[
        str | None,
        typer.Option(
            "--split-column",
            metavar="COLUMN",
            help="The table's column of train, val and test; none: no column is.",
            show_default="found by its words",
        ),
    ] = None
    layout: Annotated[
        choices.Layout | None,
        typer.Option("--layout", help="What a folder's levels are, from above.", show_default="found by their names"),
    ] = None
    value_range: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="BLACK,WHITE",
            help="Values of black and white in files of more than 8 bits, such as 0,4095, or percentile.",
            show_default="that of the file's type",
        ),
    ] = None
    bands: Annotated[
        str | None,
        typer.Option(
            "--bands",
            metavar="N,N,...",
            help="The bands of TIFF and .npy files that are read, numbered from 1, or all.",
            show_default="grey or colour",
        ),
    ] = None
    bits: Annotated[
        int | None,
        typer.Option("--bits", metavar="8|16", help="How finely pixels are kept.", show_default="8"),
    ] = None
    colours: Annotated[
        choices.Colours | None,
        typer.Option(
            "--colours", help="Colours as they are stored, or brought to sRGB by ICC profiles.", show_default="stored"
        ),
    ] = None
    fit: Annotated[
        choices.Fit | None,
        typer.Option("--fit", help="How a picture that is not square becomes one.", show_default="squeeze"),
    ] = None
    formats: Annotated[
        str | None,
        typer.Option(
            "--formats",
            metavar="heic,dicom",
            help="Formats that are read besides, each by its extra.",
            show_default="none: such files are passed over",
        ),
    ] = None
    group: Annotated[
        str | None,
        typer.Option(
            "--group",
            metavar="COLUMN",
            help="The table's column of what images belong together: patient, film, place.",
            show_default="none",
        ),
    ] = None
    group_by: Annotated[
        str | None,
        typer.Option(
            "--group-by",
            metavar="PATTERN",
            help="The same from each path: a regular expression, or parent for the folder.",
            show_default="none",
        ),
    ] = None
    keep_leaks: Annotated[
        bool, typer.Option("--keep-leaks", help="Allow given splits of which several hold images of one group.")
    ] = False

    def given(self) -> dict[str, Any]:
        """The fields of `LabelSpec` that were asked for."""
        fields = super().given()
        pixels = {name: fields.pop(name) for name in ("bands", "bits", "colours", "fit", "formats") if name in fields}
        if self.bands:
            pixels["bands"] = "all" if self.bands == "all" else words.bands(self.bands, "--bands")
        if self.formats:
            pixels["formats"] = words.names(self.formats)
        fields |= {"value_range": words.value_range(self.value_range)} if self.value_range else {}
        return fields | ({"pixels": pixels} if pixels else {})

    def spec(self) -> LabelSpec:
        """What a label is, as the public functions take it."""
        return validated(LabelSpec, self.given(), what="description of images and labels")
