"""How long a comparison will take on this machine: rates from a trial of seconds, then arithmetic on the plan."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from azeotrope.losses._contract import needs_teacher
from azeotrope.models import cost
from azeotrope.plan import ComparePlan
from azeotrope.session.opening import Opened
from azeotrope.sweeping.runs.runner import images_of_training, images_trained
from azeotrope.train.throughput import inference_rate, training_rate

DECODE_SAMPLE = 256  # images
TEACHER_BATCH = 64


@dataclass(frozen=True)
class Rates:
    """Images per second on this machine, measured now; `teacher` is None when none was named.

    `latency_ms` is the student's median for one image on one thread.
    """

    decode: float
    train: float
    evaluate: float
    teacher: float | None
    latency_ms: float


@dataclass(frozen=True)
class Forecast:
    """What `compare` would do with the same arguments: arms, runs, and seconds by phase."""

    arms: tuple[str, ...]
    left_out: dict[str, str]
    runs: int
    train_images: int
    val_images: int
    test_images: int
    seconds: dict[str, float]

    @property
    def total_seconds(self) -> float:
        """All phases."""
        return sum(self.seconds.values())


def measure(opened: Opened) -> Rates:
    """Seconds of trial for each rate. Of cards that are to share every batch the first is tried, with its share."""
    plan, resources, task = opened.comparison, opened.resources, opened.task
    channels = task.manifest.in_channels
    student = resources.student(
        plan.student, len(task.classes), plan.image_size, pretrained=False, seed=0, in_channels=channels
    ).network
    batch = plan.recipes[plan.train_images[0]].batch_images // resources.device.shares
    teacher = None
    if plan.teacher is not None:
        loaded = resources.teacher(plan.teacher)
        teacher = inference_rate(loaded.module, loaded.image_size, TEACHER_BATCH, resources.device)
    return Rates(
        decode=_decode_rate(opened),
        train=training_rate(student, plan.image_size, batch, resources.device, channels=channels),
        latency_ms=cost.latency_ms(student, plan.image_size, channels=channels),
        evaluate=inference_rate(student, plan.image_size, 256, resources.device, channels=channels),
        teacher=teacher,
    )


def forecast(opened: Opened, rates: Rates) -> Forecast:
    """Seconds of the whole comparison at its largest size."""
    plan = opened.comparison
    size, task = plan.train_images[-1], opened.task
    specs = opened.specs(size)
    rows = opened.resources.rows(task.fingerprint, size, plan.seeds[0])
    images = sum(images_trained(spec) for spec in specs)
    trainings = images / images_of_training(specs[0])
    judged = len(specs) * len(task.splits.test) + trainings * plan.recipes[size].judgements * len(rows.val)
    taught = needs_teacher(key for arm in plan.arms for option in arm.options for key in option)
    twice = taught and opened.resources.resize(task.fingerprint, plan.image_size) is not None  # for the teacher too
    held_out = (2 if twice else 1) * (len(plan.seeds) * len(rows.val) + len(task.splits.test))
    seconds = {
        "decode": (len(plan.seeds) * len(rows.train) + held_out) / rates.decode,
        "train": images / rates.train,
        "evaluate": judged / rates.evaluate,
    }
    if rates.teacher and taught:
        passes = _teacher_images(plan, size, len(rows.val), len(task.splits.test))
        if plan.recipes[size].live:
            passes += sum(images_trained(spec) for spec in specs if spec.teacher is not None)
        seconds["teacher"] = passes / rates.teacher
    return Forecast(
        tuple(arm.name for arm in plan.arms),
        opened.grid.left_out[plan.student],
        len(specs),
        size,
        len(rows.val),
        len(task.splits.test),
        seconds,
    )


def _teacher_images(plan: ComparePlan, size: int, val_images: int, test_images: int) -> int:
    recipe = plan.recipes[size]
    return len(plan.seeds) * (size * (recipe.cached_views + 1) + val_images) + test_images


def _decode_rate(opened: Opened) -> float:
    """Read and decode a spread sample; nothing is kept."""
    task = opened.task
    pack = opened.resources.pack(task.fingerprint, opened.comparison.image_size)
    rows = _spread(task.splits.train, DECODE_SAMPLE)
    began = time.perf_counter()
    pack.decode(rows)
    return len(rows) / (time.perf_counter() - began)


def _spread(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    spread: NDArray[np.int64] = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    return spread
