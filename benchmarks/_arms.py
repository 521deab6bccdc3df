"""What the benchmarks of training share: pictures to train on, students being trained, and arms timed in turn.

Arms are timed in one process, a chunk of steps at a time and in changing order, so that what else the machine does
falls on all of them; the result is the median of the ratios of neighbouring chunks, with its quartiles.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from azeotrope.arm import Arm
from azeotrope.data.packing.pack import open_pack
from azeotrope.data.task import Task, load_task
from azeotrope.devices.device import Device
from azeotrope.models.load import load_backbone, load_network
from azeotrope.plan import FOLDS
from azeotrope.recipe import Recipe, ViewPolicy
from azeotrope.strategies import distill, scratch
from azeotrope.teacher.cache import EmbeddingCache, open_cache
from azeotrope.teacher.embedder import Frozen
from azeotrope.teacher.heads.head import Head
from azeotrope.teacher.teacher import Teacher
from azeotrope.train.dataset import StudentData, Targets, TaskImages
from azeotrope.train.loop import Rows, Training

CLASSES, SIDE, VIEWS = 10, 256, 16


@dataclass(frozen=True)
class Pair:
    """Teacher and student, each with the pixels at which it looks, and the student's batch."""

    teacher: str
    teacher_size: int
    student: str
    size: int
    batch: int

    def __str__(self) -> str:
        return f"{self.teacher} at {self.teacher_size} px -> {self.student} at {self.size} px, batch {self.batch}"


PAIRS = {
    "224": Pair("resnet50", 224, "mobilenetv2_100", 224, 16),
    "vit": Pair("vit_small_patch14_reg4_dinov2", 224, "resnet18", 224, 16),
    "32": Pair("tf_efficientnet_lite0", 64, "resnet10t", 32, 64),
}


def photographs(folder: Path, images: int) -> Path:
    """A folder of class folders with JPEG files of 256 x 256 pixels that compress as photographs do: smooth noise."""
    rng = np.random.default_rng(0)
    for number in range(images):
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.int16)
        pixels = (smooth + rng.integers(-12, 13, smooth.shape)).clip(0, 255).astype(np.uint8)
        file = folder / f"class{number % CLASSES}" / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file, quality=90)
    return folder


def task_of(pair: Pair, images: int, folder: Path) -> Task:
    """Fashion-MNIST for the small pair, made-up photographs for the large one."""
    return load_task("fashion-mnist" if pair.size <= 64 else str(photographs(folder / "photographs", images)))


def teacher_of(pair: Pair, device: Device) -> Teacher:
    """Random weights, in the teacher's shape: what they are changes no time."""
    backbone = load_backbone(pair.teacher, pretrained=False, image_size=pair.teacher_size)
    module = device.place(Frozen(backbone.module))
    look = backbone.preprocessing
    return Teacher(pair.teacher, "random", module, backbone.features, pair.teacher_size, look, device)


def cache_of(task: Task, teacher: Teacher, views: int, folder: Path) -> EmbeddingCache:
    """Open, and empty when the folder is new."""
    return open_cache(folder, teacher, open_pack(task, folder, teacher.image_size), ViewPolicy(), views)


def fill_at_random(cache: EmbeddingCache, rows: np.ndarray) -> None:
    """Embeddings of every view without asking the teacher, for what measures the steps that read them."""
    rng = np.random.default_rng(0)
    shape = cache.store.shape
    for view in range(cache.views):
        positions = cache.positions(rows, view)
        cache.store.fill(positions, lambda asked: rng.normal(size=(len(asked), *shape)), batch=1024)


def training(
    pair: Pair,
    task: Task,
    rows: np.ndarray,
    device: Device,
    folder: Path,
    cache: EmbeddingCache | None,
    epochs: int = 1,
) -> Training:
    """A student to be trained: towards the cached teacher, or without one (`scratch`)."""
    loaded = load_network(pair.student, len(task.classes), image_size=pair.size, pretrained=False, seed=0)
    recipe = Recipe(epochs=epochs, batch_images=pair.batch, learning_rates=(1e-3,), views=cache.views if cache else 1)
    pack = open_pack(task, folder, pair.size)
    pack.ensure(rows)
    models = FOLDS + 1
    head = (
        Head(torch.randn(models, len(task.classes), cache.teacher.features), torch.zeros(models, len(task.classes)))
        if cache
        else None
    )
    targets = Targets(cache, head, np.arange(len(task.labels)) % FOLDS) if cache and head else None
    data = StudentData(TaskImages(pack, recipe.policy, recipe.views, targets), pair.size, loaded.preprocessing)
    stage = (distill if cache else scratch).stages(Arm.parse("distill" if cache else "scratch"), recipe, None)[-1]
    place = folder / "checkpoint.pt"
    return Training(loaded.network, stage, 1e-3, 0, data, Rows(rows, rows[: pair.batch]), device, place)


@dataclass
class Steps:
    """Training steps on request; epochs follow each other. `waiting` are the seconds spent waiting for data."""

    training: Training
    waiting: float = 0.0
    seconds: float = 0.0
    epoch: int = 0
    batches: object = field(default=iter(()))

    def __call__(self, steps: int) -> int:
        """Make so many steps; the images trained on."""
        began = time.perf_counter()
        self.training.network.train()
        for _ in range(steps):
            batch = self._next()
            self.training._step(batch, 1.0)
        self.seconds += time.perf_counter() - began
        return steps * self.training.stage.recipe.batch_images

    def _next(self):
        began = time.perf_counter()
        batch = next(self.batches, None)
        if batch is None:
            made = self.training
            batch_images = made.stage.recipe.batch_images
            self.batches = made.batches(made.data.epoch(made.rows.train, batch_images, 0, self.epoch))
            self.epoch += 1
            batch = next(self.batches)
        self.waiting += time.perf_counter() - began
        return batch


def in_turn(arms: dict[str, Steps], steps: int, rounds: int) -> dict[str, list[float]]:
    """Images per second of each arm in each round, after a round that does not count."""
    rates: dict[str, list[float]] = {name: [] for name in arms}
    for index in range(rounds + 1):
        for name in list(arms)[:: 1 if index % 2 else -1]:
            began = time.perf_counter()
            images = arms[name](steps)
            if index:
                rates[name].append(images / (time.perf_counter() - began))
            else:
                arms[name].waiting = arms[name].seconds = 0.0
    return rates


def compared(rates: dict[str, list[float]], name: str, base: str) -> str:
    """`name` over `base`: median ratio of neighbouring chunks, quartiles, n, and both rates."""
    ratios = [one / other for one, other in zip(rates[name], rates[base], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    one, other = statistics.median(rates[name]), statistics.median(rates[base])
    spread = f"{middle:.3f} [{low:.3f}, {high:.3f}], n = {len(ratios)}"
    return f"{name} / {base}: ratio {spread}; {one:,.1f} and {other:,.1f} images/s"
