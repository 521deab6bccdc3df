"""What is done to a picture before the exported graph sees it, written down so that every device can do the same.

The steps are Pillow's own, one resize from the file to the model's size: a picture's pixels are the same levels in
validation, in `predict`, in `run.py` and in the page of the bundle. Of files with bands, or of 16 bits, the reading of
the training is written down too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import UInt
from pydantic import Field

from azeotrope.data.decoding.reading import Reading
from azeotrope.data.decoding.resize import Filter, filter_of, grey, kernel_of, resized
from azeotrope.data.packing.pack_rows import fitted
from azeotrope.errors import InputError
from azeotrope.exporting.deployed import INPUT, OUTPUTS
from azeotrope.labels import PLAIN_PIXELS, KindName, PixelSpec
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.saved import SavedModel
from azeotrope.record.storage.verification import bundle_file
from azeotrope.spec import Spec, read_yaml, validated

FILE = "preprocessing.json"
FORMAT = 1  # of `Preparation`; raise both when a reader of an older bundle would misread a new one


class Square(Spec):
    """A picture that is not square becomes one: the square in its middle (`crop`), or the picture in the middle of a
    black square (`pad`).
    """

    step: Literal["square"] = "square"
    fit: Literal["crop", "pad"]


class Grey(Spec):
    """Colour becomes luma (ITU-R BT.601, as Pillow); the three channels of the input are then equal."""

    step: Literal["grey"] = "grey"


class Resize(Spec):
    """The whole picture, squeezed to `size` x `size` pixels by Pillow's antialiased filter.

    With a `reducing_gap` a picture that is more than twice that many times too large is first averaged in whole blocks.
    """

    step: Literal["resize"] = "resize"
    size: int
    filter: Filter
    reducing_gap: float | None = None


Step = Annotated[Square | Grey | Resize, Field(discriminator="step")]


class Preparation(Spec):
    """`preprocessing.json`: from a picture to the input, and what the outputs mean.

    `value_range` are the values of black and white in files of more than 8 bits (None: such files were not trained on).
    `mean` and `std` are inside the graph already, and here for the reader. `channels` are those of the input. Of files
    that were not read as grey or colour of 8 bits `files` says how they are read (levels of 16 bits go to 65,535),
    `bands` how many each must have, and `own_windows` that each of more than 8 bits was shown by the window in it.
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
    channels: int = Field(default=3, exclude_if=lambda channels: channels == 3)
    files: PixelSpec = Field(default=PLAIN_PIXELS, exclude_if=lambda files: files == PLAIN_PIXELS)
    bands: int | None = Field(default=None, exclude_if=lambda bands: bands is None)
    own_windows: bool = Field(default=False, exclude_if=lambda own: not own)

    @property
    def reading(self) -> Reading:
        """How files become pictures."""
        return Reading(self.value_range, self.files)

    @property
    def plain_files(self) -> bool:
        """Whether files are grey or colour of 8 bits, as any program decodes them."""
        return self.reading.plain and self.value_range is None

    def pixels(self, picture: UInt[np.ndarray, "H W K"]) -> UInt[np.ndarray, "channels size size"]:
        """The decoded picture (K 1: grey, 3, or the bands) as the graph takes it."""
        shape = (self.size, self.size, self.channels)
        return np.ascontiguousarray(np.broadcast_to(after(self.steps, picture), shape).transpose(2, 0, 1))


def preparation_of(saved: SavedModel, temperature: float) -> Preparation:
    """How this model's pictures are prepared, as its validation did. Raises InputError for a model that was not
    trained here.
    """
    look = saved.preprocessing
    if not look.trained_here:
        raise InputError(
            "Only a model that was trained here says how its pictures were prepared",
            found="neither resize nor stored_size in model.yaml",
            next_step="export a model that `azeotrope compare` or `azeotrope distill` saved",
        )
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
        channels=len(look.mean),
        files=look.pixels,
        bands=None if look.pixels.bands is None else look.stored_channels,
        own_windows=look.own_windows,
    )


def steps_of(look: Preprocessing) -> tuple[Step, ...]:
    """From the picture to the model's size in one resize; of a model of earlier versions by way of the frame that its
    training stored, as it was judged.
    """
    fit = look.pixels.fit
    square = () if fit == "squeeze" else (Square(fit=fit),)
    to_grey = (Grey(),) if look.stored_channels == 1 and look.pixels.bands is None else ()
    frame = () if look.stored_size is None else (Resize(size=look.stored_size, filter="bicubic", reducing_gap=3.0),)
    return (*square, *to_grey, *frame, Resize(size=look.size, filter=filter_of(look.interpolation)))


def after(steps: Iterable[Step], picture: UInt[np.ndarray, "H W K"]) -> UInt[np.ndarray, "size size C"]:
    """The decoded picture after these steps, with its own channels, or one of grey."""
    for step in steps:
        picture = _DO[step.step](picture, step)
    return picture


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


def _square(picture: UInt[np.ndarray, "H W K"], step: Square) -> UInt[np.ndarray, "side side K"]:
    return fitted(picture, step.fit)


def _grey(picture: UInt[np.ndarray, "H W K"], step: Grey) -> UInt[np.ndarray, "H W 1"]:
    return picture if picture.shape[2] == 1 else grey(picture)


def _resize(picture: UInt[np.ndarray, "H W K"], step: Resize) -> UInt[np.ndarray, "size size K"]:
    return resized(picture, step.size, kernel_of(step.filter), reducing_gap=step.reducing_gap)


_DO: dict[str, Callable[..., UInt[np.ndarray, "H W K"]]] = {"square": _square, "grey": _grey, "resize": _resize}
