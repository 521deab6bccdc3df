"""The images that an export needs: training images to calibrate, validation images to verify."""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt, UInt8
from numpy.typing import NDArray
from PIL import Image

from azeotrope.data.decoding.bands import NPY, array_in, bands_are_last, is_tiff
from azeotrope.data.decoding.decode import decode, is_deep_png
from azeotrope.data.decoding.dicom import is_dicom
from azeotrope.data.decoding.heic import is_heic
from azeotrope.data.decoding.mend import LONG_TEXT, NO_END
from azeotrope.data.division.subset import subset
from azeotrope.data.task import Task
from azeotrope.errors import InputError
from azeotrope.exporting.preparation import Preparation
from azeotrope.exporting.target import CALIBRATION_IMAGES
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.models.saved import SavedModel
from azeotrope.plan import HELD_OUT
from azeotrope.record.machine.processors import processors
from azeotrope.record.storage.claim import PLAN
from azeotrope.session.progress import Progress
from azeotrope.session.reading import read_folds, read_task
from azeotrope.spec import read_yaml, validated


@dataclass(frozen=True)
class ExportImages:
    """The task, and rows of it that calibrate, that verify, and that give the card its test errors; `cache` is the
    folder of decoded images.
    """

    task: Task
    cache: Path
    calibration: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    def prepared(self, rows: NDArray[np.int64], how: Preparation) -> UInt[np.ndarray, "n bands H W"]:
        """These images as the exported graph takes them."""

        def one(row: int) -> UInt[np.ndarray, "bands H W"]:
            return how.pixels(decode(self.task.source.read(row), self.task.manifest.reading).pixels)

        with ThreadPoolExecutor(processors()) as pool:
            return np.stack(list(pool.map(one, rows.tolist())))


def images_of(
    saved: SavedModel,
    folder: Path,
    *,
    data: str | None,
    labels: LabelSpec | None,
    held_out: float | None,
    calibration: int | None,
    validation: int,
    cache: Path,
    progress: Progress,
) -> ExportImages:
    """Open the set that the model was trained on: `data`, else what the plan beside the model names.

    Up to `validation` images of validation, and as many of test, are taken in the task's proportions, and `calibration`
    of those that the model was trained on (None: up to `CALIBRATION_IMAGES`). Raises InputError where the set is
    another one, or has fewer.
    """
    train_images, seed = saved.facts.get("train_images"), saved.facts.get("seed")
    if not isinstance(train_images, int) or not isinstance(seed, int):
        raise InputError(
            "Only a model that was trained here says which images it was trained on",
            found=f"no train_images and seed in {folder / 'model.yaml'}",
            next_step="export a model that `azeotrope compare` or `azeotrope distill` saved",
        )
    if calibration is not None and not 1 <= calibration <= train_images:
        raise InputError(
            "Ranges of int8 are calibrated on images that the model was trained on",
            found=f"--calibration-images {calibration} asked",
            allowed=f"1 to {train_images}",
            next_step="ask for fewer",
        )
    task = _task(saved, folder, data, labels, held_out, cache, progress)
    splits, checksums = task.splits, task.manifest.checksums
    trained = subset(splits.train, task.labels, train_images, seed, checksums, task.kind)
    return ExportImages(
        task,
        cache,
        trained[: calibration or CALIBRATION_IMAGES],
        *(
            subset(rows, task.labels, min(validation, len(rows)), seed, checksums, task.kind)
            for rows in (splits.val, splits.test)
        ),
    )


def sample_of(task: Task, row: int) -> tuple[str, bytes | None]:
    """A picture that the bundle's `run.py` reads, with a name that says what it is: as it came, where it can.

    One that came as an array is made a PNG, and so is a medical one, whose file says more than pixels, and one that had
    to be mended. The values of a
    TIFF become a `.npy` where its bands, or its bits, were read. None in the place of what cannot be given so.
    """
    raw, reading = task.source.read(row), task.manifest.reading
    if isinstance(raw, np.ndarray):
        return "picture.png", _png(raw if raw.ndim == 3 else raw[..., None])
    asked = reading.pixels
    decoded = decode(raw, reading)
    if is_dicom(raw) or is_heic(raw) or not {LONG_TEXT, NO_END}.isdisjoint(decoded.notes):
        whole = asked.bits == 8 and not isinstance(asked.bands, tuple)
        return "picture.png", _png(decoded.pixels) if whole else None
    if raw.startswith(NPY):
        return "picture.npy", raw
    if is_tiff(raw) and asked.bands:
        return "picture.npy", _npy(array_in(raw))
    with Image.open(io.BytesIO(raw)) as image:
        fine = asked.bands is not None or asked.bits == 16
        cut = image.format == "PNG" and is_deep_png(raw) and not image.mode.startswith("I")
        return f"picture.{(image.format or 'png').lower()}", None if cut or (fine and is_tiff(raw)) else raw


def _png(pixels: UInt8[np.ndarray, "H W K"]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _npy(values: NDArray[Any] | None) -> bytes | None:
    """The values [H, W, bands]; None where their shape alone does not say which axis is that of the bands."""
    if values is None or not bands_are_last(values.shape):
        return None
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def spread_over(count: int, rows: Sequence[int] | NDArray[np.int64]) -> list[int]:
    """Up to `count` of these rows."""
    return [int(rows[place]) for place in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def _task(
    saved: SavedModel,
    folder: Path,
    data: str | None,
    labels: LabelSpec | None,
    held_out: float | None,
    cache: Path,
    progress: Progress,
) -> Task:
    plan = _plan(folder)
    named = data or plan.get("data")
    if named is None:
        raise InputError(
            "Files are verified on the images that the model was trained on",
            found=f"no {PLAN} two folders above {folder}",
            next_step="name the images with --data",
        )
    asked = labels or (validated(LabelSpec, plan["labels"]) if plan.get("labels") else ONE_CLASS)
    share = plan.get("held_out", HELD_OUT) if held_out is None else held_out
    fold, folds = saved.facts.get("fold"), saved.facts.get("folds")
    try:
        if isinstance(fold, int) and isinstance(folds, int):
            task = read_folds(str(named), folds, progress, asked, cache, told=fold)[fold - 1]
        else:
            task = read_task(str(named), progress, asked, cache, held_out=share)
    except InputError as error:
        if data is not None:
            raise
        raise InputError(
            "Files are verified on the images that the model was trained on",
            found=f"{named} in {PLAN}: {error.rule}",
            next_step="name where they are now with --data",
        ) from error
    wanted = saved.facts.get("fingerprint")
    if task.set_fingerprint != wanted:
        raise InputError(
            f"Files are verified on the images that the model was trained on, and {named} holds others",
            found=f"fingerprint {task.set_fingerprint[:12]}, the model has {str(wanted)[:12]}",
            allowed="the same images, labels and splits",
            next_step="name the images with --data",
        )
    return task


def _plan(folder: Path) -> dict[str, Any]:
    """What the training was asked, where its plan is still two folders above; else nothing."""
    path = folder.resolve().parents[1] / PLAN
    return read_yaml(path) if path.is_file() else {}
