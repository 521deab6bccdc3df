"""What is done to a picture before the exported graph sees it, written down so that every device can do the same.

The steps are Pillow's own, in 8 bits: a picture's pixels are the same bytes in validation, in `predict`, in `run.py`
and in the page of the bundle.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from pydantic import Field

from azeotrope.errors import InputError
from azeotrope.exporting.deployed import INPUT, OUTPUTS
from azeotrope.labels import KindName
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.saved import SavedModel
from azeotrope.record.verification import bundle_file
from azeotrope.spec import Spec, read_yaml, validated

FILE = "preprocessing.json"
FORMAT = 1  # of `Preparation`; raise both when a reader of an older bundle would misread a new one


class Grey(Spec):
    """Colour becomes luma (ITU-R BT.601, as Pillow); the three channels of the input are then equal."""

    step: Literal["grey"] = "grey"


class Resize(Spec):
    """The whole picture, squeezed to `size` x `size` pixels by Pillow's antialiased filter.

    With a `reducing_gap` a picture that is more than twice that many times too large is first averaged in whole blocks.
    """

    step: Literal["resize"] = "resize"
    size: int
    filter: Literal["bilinear", "bicubic"]
    reducing_gap: float | None = None


Step = Annotated[Grey | Resize, Field(discriminator="step")]


class Preparation(Spec):
    """`preprocessing.json`: from a picture to the input, and what the outputs mean.

    `value_range` are the values of black and white in files of more than 8 bits (None: such files were not trained on).
    `mean` and `std` are inside the graph already, and here for the reader.
    """

    format: Literal[1] = 1
    input: str = INPUT
    size: int
    steps: tuple[Step, ...]
    value_range: tuple[float, float] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    kind: KindName
    outputs: tuple[str, ...]
    classes: tuple[str, ...]
    unit: str | None
    temperature: float

    def pixels(self, picture: UInt8[np.ndarray, "H W K"]) -> UInt8[np.ndarray, "3 size size"]:
        """The decoded picture (K 1: grey, or 3) as the graph takes it."""
        image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
        for step in self.steps:
            image = _DO[step.step](image, step)
        made = np.asarray(image).reshape(self.size, self.size, -1)
        return np.ascontiguousarray(np.broadcast_to(made, (self.size, self.size, 3)).transpose(2, 0, 1))


def preparation_of(saved: SavedModel, temperature: float) -> Preparation:
    """How this model's pictures are prepared, as its own training and validation did."""
    look = saved.preprocessing
    return Preparation(
        size=look.size,
        steps=steps_of(look),
        value_range=look.value_range,
        mean=look.mean,
        std=look.std,
        kind=saved.kind,
        outputs=OUTPUTS[saved.kind],
        classes=saved.classes,
        unit=saved.unit,
        temperature=temperature,
    )


def steps_of(look: Preprocessing) -> tuple[Grey | Resize, ...]:
    """Squeezed to the size that is stored, and from there to the model's. Raises InputError for a model not trained
    here, of which the stored size is not known, and for one of other pictures than grey or colour of 8 bits
    as they are stored, whole.
    """
    if not look.reading.plain:
        raise InputError(
            "An exported file takes grey or colour pictures of 8 bits, as they are stored, whole",
            found=f"a model of {look.stored_channels} bands of {look.pixels.bits} bits, "
            f"colours: {look.pixels.colours}, fit: {look.pixels.fit}"
            + (f", of files of {' and '.join(look.pixels.formats)}" if look.pixels.formats else ""),
            next_step="use this model with `azeotrope predict`",
        )
    if look.stored_size is None:
        raise InputError(
            "Only a model that was trained here says how its pictures were prepared",
            found="no stored_size in model.yaml",
            next_step="export a model that `azeotrope compare` or `azeotrope distill` saved",
        )
    grey = (Grey(),) if look.stored_channels == 1 else ()
    kind: Literal["bilinear", "bicubic"] = "bilinear" if look.interpolation == "bilinear" else "bicubic"
    return (
        *grey,
        Resize(size=look.stored_size, filter="bicubic", reducing_gap=3.0),
        Resize(size=look.size, filter=kind),
    )


def read_preparation(folder: Path) -> Preparation:
    """That of a bundle. Raises InputError when it is not there, or of another version."""
    path = bundle_file(folder, FILE, "how pictures are prepared")
    content = read_yaml(path)  # JSON is YAML
    if content.get("format") != FORMAT:
        raise InputError(
            f"The bundle {folder} was written by another version of azeotrope",
            found=f"format {content.get('format')} in {FILE}",
            allowed=f"format {FORMAT}",
            next_step="export the model again with this version",
        )
    return validated(Preparation, content, what=str(path))


def _grey(image: Image.Image, step: Grey) -> Image.Image:
    return image.convert("L")


def _resize(image: Image.Image, step: Resize) -> Image.Image:
    side = (step.size, step.size)
    return image.resize(side, Image.Resampling[step.filter.upper()], reducing_gap=step.reducing_gap)


_DO: dict[str, Callable[..., Image.Image]] = {"grey": _grey, "resize": _resize}
