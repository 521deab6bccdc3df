"""A model that answers for one picture at a time: a saved network, or a file that was exported from one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt
from torch import Tensor

from azeotrope.data.augmentation.render import Renderer
from azeotrope.data.augmentation.views import PLAIN, draw
from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.dicom import WINDOWED
from azeotrope.data.decoding.formats import require_extras
from azeotrope.data.decoding.reading import Reading, Unreadable
from azeotrope.data.host_batch import Inputs
from azeotrope.errors import InputError
from azeotrope.exporting.preparation import Preparation, after, read_preparation, steps_of
from azeotrope.exporting.target import Program, target_named
from azeotrope.labels import KindName
from azeotrope.models.backbone import Preprocessing
from azeotrope.models.saved import SavedModel, load_model, model_folder
from azeotrope.recipe import ViewPolicy
from azeotrope.record.storage.verification import FILE, read_verification


@dataclass(frozen=True)
class Predictor:
    """`said` maps a decoded picture to logits, or to the value. Files become pictures as `reading` says; of files with
    bands it takes `bands` of them (None: grey or colour). With `own_windows` it was trained on files that are shown by
    the window in them.
    """

    kind: KindName
    classes: tuple[str, ...]
    unit: str | None
    reading: Reading
    said: Callable[[UInt[np.ndarray, "H W K"]], Float[Tensor, " C"]]
    bands: int | None = None
    own_windows: bool = False

    def picture(self, raw: bytes) -> UInt[np.ndarray, "H W K"]:
        """What is in a file. Raises Unreadable, also for one that training would not have read: of other bands, or
        without a window.
        """
        decoded = decode(raw, self.reading)
        pixels = decoded.pixels
        if self.own_windows and decoded.values is not None and WINDOWED not in decoded.notes:
            raise Unreadable("no window of its own, as the medical pictures that the model was trained on have")
        if self.bands not in (None, pixels.shape[2]):
            raise Unreadable(f"the model was trained on {self.bands} bands, and the file has {pixels.shape[2]}")
        return pixels


def open_predictor(model: Path) -> Predictor:
    """Open a model's folder, the output folder around it, or an exported file. Raises InputError for anything else."""
    if model.is_file() or (model.name and model.is_dir() and (model.parent / FILE).is_file()):  # Core ML's is a folder
        return _exported(model)
    saved = load_model(model_folder(model))
    look = saved.preprocessing
    require_extras(look.pixels)
    bands = None if look.pixels.bands is None else look.stored_channels
    return Predictor(
        saved.kind, saved.classes, saved.unit, look.reading, partial(_saved_says, saved), bands, look.own_windows
    )


def _exported(file: Path) -> Predictor:
    how = read_preparation(file.parent)
    known = {each.file: each.target for each in read_verification(file.parent).files}
    if file.name not in known:
        raise InputError(
            "An exported file is one that its bundle verified",
            found=f"{file.name} is not among the verified files of {FILE}",
            allowed=", ".join(known),
            next_step="name one of these, or the folder of a saved model",
        )
    program = target_named(known[file.name]).open_program(file, how.outputs)
    require_extras(how.files)
    said = partial(_file_says, program, how)
    return Predictor(how.kind, how.classes, how.unit, how.reading, said, how.bands, how.own_windows)


def _file_says(program: Program, how: Preparation, picture: UInt[np.ndarray, "H W K"]) -> Float[Tensor, " C"]:
    return torch.from_numpy(np.array(program.answer(how.pixels(picture)[None])[0][0]))


@torch.inference_mode()
def _saved_says(saved: SavedModel, picture: UInt[np.ndarray, "H W K"]) -> Float[Tensor, " C"]:
    logits: Tensor = saved.network(_plain(picture, saved.preprocessing)).logits[0]
    return logits


def _plain(picture: UInt[np.ndarray, "H W K"], look: Preprocessing) -> Float[Tensor, "1 bands size size"]:
    """The image as evaluation saw it, normalised."""
    small = after(steps_of(look), picture)
    packed = small.repeat(look.stored_channels // small.shape[2], axis=2)
    inputs = Inputs(packed[None], draw(ViewPolicy(), np.zeros(1, np.uint64), PLAIN)).map(torch.from_numpy)
    shown: Tensor = Renderer(look.size, look.interpolation, look.mean, look.std)(inputs.pixels, inputs.views)
    return shown
