"""From a plan to a generator that is ready: trained here on the run's images, or opened from a hub or folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from azeotrope.data.pack import Pack
from azeotrope.errors import RunFailed
from azeotrope.models.device import Device
from azeotrope.record.store import cannot_write, write_atomically
from azeotrope.synthesis.generators._generator import Generator
from azeotrope.synthesis.generators.own import OwnGenerator, load_own, save_own, saved
from azeotrope.synthesis.generators.pipeline import Originals, PipelineGenerator
from azeotrope.synthesis.hub import open_pipeline
from azeotrope.synthesis.names import class_words
from azeotrope.synthesis.spec import OWN_GUIDANCE, OWN_STEPS, GeneratorSpec, SynthPlan
from azeotrope.synthesis.training import OwnTraining
from azeotrope.synthesis.unet import Frame

_TIMES = "training.json"


@dataclass(frozen=True)
class Ready:
    """A generator, the seconds its training took here (0 for one that is downloaded), and what a person should know."""

    generator: Generator
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


def train_own(
    plan: SynthPlan,
    pack: Pack,
    rows: NDArray[np.int64],
    folder: Path,
    device: Device,
    advance: Callable[[int], None] = lambda steps: None,
) -> Ready:
    """The generator trained on these rows, which must be the run's; read from `folder` when it was finished before.

    Raises RunFailed for a class without an image: a generator cannot draw what it never saw.
    """
    spec, task = plan.generator, pack.task
    assert spec.training is not None
    labels = task.labels[rows]
    if absent := sorted(set(range(len(task.classes))) - set(labels.tolist())):
        raise RunFailed(
            "A generator of one's own needs an image of every class",
            found=f"none of {', '.join(task.classes[label] for label in absent[:5])} among {len(rows)}",
            next_step="take more --train-images",
        )
    pack.ensure(rows)
    pictures = pack.read(rows)
    if not saved(folder):
        training = OwnTraining(
            pictures=pictures,
            labels=labels,
            classes=len(task.classes),
            spec=spec.training,
            seed=plan.seed,
            mirror=task.source.mirror,
            device=device,
            file=folder / "checkpoint.pt",
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
    return Ready(own, float(json.loads((folder / _TIMES).read_text())["seconds"]))


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
    return Ready(PipelineGenerator(pipeline, spec, said, spec.model, revision, originals), warnings=warnings)


def originals_of(pack: Pack, rows: NDArray[np.int64]) -> Originals:
    """The run's images for `vary` and `mix`."""
    task = pack.task
    labels = task.labels[rows]
    by_class = [rows[labels == label] for label in range(len(task.classes))]

    def read(row: int) -> Image.Image:
        pixels = pack.decode(np.array([row]))[0]
        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)

    return Originals(by_class, task.manifest.keys, read)


def _keep_time(folder: Path, seconds: float) -> None:
    try:
        write_atomically(folder / _TIMES, json.dumps({"seconds": seconds}))
    except OSError as error:
        raise cannot_write(folder, error) from error
