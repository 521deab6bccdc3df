"""From a plan to a generator that is ready: trained here on the run's images, or opened from a hub or folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from azeotrope.data.packing.pack import Pack
from azeotrope.data.packing.pack_rows import squared
from azeotrope.data.task import Task
from azeotrope.devices.device import Device
from azeotrope.errors import InputError
from azeotrope.models.pretrained.hub import card_licence
from azeotrope.models.pretrained.licence import objection
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.synthesis.generators._generator import Generator
from azeotrope.synthesis.generators.own import OwnGenerator, load_own, save_own, saved
from azeotrope.synthesis.generators.pipeline import Originals, PipelineGenerator
from azeotrope.synthesis.hub import open_pipeline
from azeotrope.synthesis.making import Line
from azeotrope.synthesis.names import class_words
from azeotrope.synthesis.spec import OWN_GUIDANCE, OWN_STEPS, GeneratorSpec, SynthPlan
from azeotrope.synthesis.training import OwnTraining
from azeotrope.synthesis.unet import Frame

_TIMES = "training.json"
_CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Ready:
    """A generator, the seconds its training took here (0 for one that is downloaded), and what a person should know."""

    generator: Generator
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


def check_every_class(task: Task, rows: NDArray[np.int64]) -> None:
    """Raise InputError for a class without an image among these rows: what sees them cannot draw it."""
    if absent := sorted(set(range(len(task.classes))) - set(task.labels[rows].tolist())):
        raise InputError(
            "A generator that learns from this run's images, or redraws them, needs one of every class",
            found=f"none of {', '.join(task.classes[label] for label in absent[:5])} among {len(rows)}",
            next_step="take more --train-images",
        )


def begun(folder: Path) -> bool:
    """Whether a training left a generator here, or something to go on with."""
    return saved(folder) or (folder / _CHECKPOINT).exists()


def train_own(
    plan: SynthPlan,
    pack: Pack,
    rows: NDArray[np.int64],
    folder: Path,
    device: Device,
    advance: Callable[[int], None] = lambda steps: None,
) -> Ready:
    """The generator trained on these rows, which must be the run's and hold every class; read from `folder` when it
    was finished before.
    """
    spec, task = plan.generator, pack.task
    assert spec.training is not None
    labels = task.labels[rows]
    pack.ensure(rows)
    pictures = _at_most(pack.read(rows), spec.training.picture_size)
    if not saved(folder):
        training = OwnTraining(
            pictures=pictures,
            labels=labels,
            classes=len(task.classes),
            spec=spec.training,
            seed=plan.seed,
            mirror=task.source.mirror,
            device=device,
            file=folder / _CHECKPOINT,
            advance=advance,
        )
        network = training.run()
        _keep_time(folder, training.seconds)
        save_own(network, folder)
        training.file.unlink(missing_ok=True)
    network, digest = load_own(folder, device)
    guidance = OWN_GUIDANCE if spec.guidance is None else spec.guidance
    frame = Frame(pictures.shape[1], pictures.shape[-1])
    own = OwnGenerator(network, frame, task.classes, spec.steps or OWN_STEPS, guidance, device, f"own:{digest}")
    return Ready(own, float(json.loads((folder / _TIMES).read_text(encoding="utf-8"))["seconds"]))


def open_named(
    spec: GeneratorSpec, classes: tuple[str, ...], device: Device, originals: Originals | None = None
) -> Ready:
    """A diffusers pipeline. `originals` are the run's images where they are redrawn. Raises InputError."""
    assert spec.model is not None
    if spec.kind == "text":
        words = class_words(classes, spec.descriptions)
        said, warnings = words.words, words.warnings
    else:
        said, warnings = classes, ()
    pipeline, revision = open_pipeline(spec.model, spec.revision, device, from_image=originals is not None)
    generator = PipelineGenerator(pipeline, spec, said, spec.model, revision, originals)
    return Ready(generator, warnings=(*warnings, *_licence(spec.model)))


def going_on(spec: GeneratorSpec, made: Iterable[Line]) -> GeneratorSpec:
    """With the hub's revision that the pictures there were made with, where none is asked for: a set that grows stays
    with the weights that it began with.
    """
    begun_with = next((line.revision for line in made if line.revision), None)
    return spec.model_copy(update={"revision": spec.revision or begun_with})


def originals_of(pack: Pack, rows: NDArray[np.int64]) -> Originals:
    """The run's images for `vary` and `mix`."""
    task = pack.task
    labels = task.labels[rows]
    by_class = [rows[labels == label] for label in range(len(task.classes))]

    def read(row: int) -> Image.Image:
        pixels = pack.decode(np.array([row]))[0]
        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)

    return Originals(by_class, task.manifest.keys, read)


def _at_most(pictures: UInt8[Tensor, "n S S K"], side: int) -> UInt8[Tensor, "n s s K"]:
    """No more than `side` pixels: a pack keeps some more than were asked for, from which views are cropped."""
    if pictures.shape[1] <= side:
        return pictures
    return torch.from_numpy(np.stack([squared(each, side, each.shape[2]) for each in pictures.numpy()]))


def _licence(model: str) -> tuple[str, ...]:
    named = card_licence(model)
    said = objection(named)
    binds = "It may bind the pictures and what is trained on them: read it before you use or publish either"
    return (f"The licence of the generator {model}, {named}, {said}. {binds}.",) if said else ()


def _keep_time(folder: Path, seconds: float) -> None:
    try:
        write_atomically(folder / _TIMES, json.dumps({"seconds": seconds}))
    except OSError as error:
        raise cannot_write(folder, error) from error
