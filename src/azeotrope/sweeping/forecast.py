"""How long each run of a sweep will take: arithmetic on rates that a trial of seconds measured, corrected by what runs
really took.

Work that runs share (a teacher's embeddings, a pre-training) is charged to the first run that needs it, so that the sum
is the time of the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from azeotrope.data.augmentation.views import PLAIN
from azeotrope.plan import TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import images_of_training, images_trained
from azeotrope.sweeping.spec import RunSpec
from azeotrope.teacher.cache import EmbeddingCache
from azeotrope.train.throughput import inference_rate, training_rate

TRIAL_SECONDS = 1.0  # of each rate
TEACHER_BATCH, EVALUATION_BATCH = 64, 256
ASSUMED_MACS = 20e9  # per second and core, where nothing was measured; only the proportions between runs matter then


@dataclass(frozen=True)
class Rates:
    """Images per second: a student's training and evaluation."""

    train: float
    evaluate: float


class Forecast:
    """Seconds of each of `specs`, from a trial of this machine (`measured`) or from the models' sizes alone."""

    def __init__(self, specs: Iterable[RunSpec], resources: Resources, *, measured: bool) -> None:
        self._resources, self._measured = resources, measured
        self._rates: dict[tuple[str, int], Rates] = {}
        self._teachers: dict[TeacherSpec, float] = {}
        self._seen: dict[tuple[TeacherSpec, ViewPolicy], NDArray[np.int64]] = {}
        self._pretrained: set[str] = set()
        self._expected, self._took = 0.0, 0.0
        self._seconds = {spec.digest(): self._alone(spec) + self._shared(spec) for spec in specs}

    def seconds(self, run_id: str) -> float:
        """Of one run, by what the finished ones took."""
        return self._seconds[run_id] * self.correction

    @property
    def correction(self) -> float:
        """How much longer runs take than was expected of them; 1 before any has ended."""
        return self._took / self._expected if self._expected else 1.0

    @property
    def known(self) -> bool:
        """Whether seconds are seconds: measured by a trial or by a finished run."""
        return self._measured or self._expected > 0

    def learn(self, run_id: str, seconds: float) -> None:
        """A run has ended after so many seconds."""
        self._expected += self._seconds[run_id]
        self._took += seconds

    def _alone(self, spec: RunSpec) -> float:
        """Training and evaluation of the student."""
        rates, rows = self._rate(spec), self._resources.rows(spec.task, spec.train_images, spec.seed)
        trainings = images_trained(spec) / images_of_training(spec)
        judged = trainings * spec.recipe.judgements * len(rows.val) + len(self._resources.tasks[spec.task].splits.test)
        return images_trained(spec) / rates.train + judged / rates.evaluate

    def _shared(self, spec: RunSpec) -> float:
        """What later runs find done: the teacher's embeddings and the pre-training."""
        seconds = 0.0
        if spec.teacher is not None:
            for teacher in spec.teacher.members:
                seconds += self._embeddings(spec, teacher) / self._teacher(teacher)
        if spec.upstream is not None and (before := spec.pretraining()).digest() not in self._pretrained:
            self._pretrained.add(before.digest())
            seconds += self._alone(before)
        return seconds

    def _embeddings(self, spec: RunSpec, teacher: TeacherSpec) -> int:
        """Views that the teacher has not seen when this run's turn comes; counted as seen from then on."""
        cache = self._resources.embeddings(teacher, spec.task, spec.recipe.policy, spec.recipe.views)
        rows = self._resources.rows(spec.task, spec.train_images, spec.seed)
        seen = self._seen.setdefault((teacher, spec.recipe.policy), _embedded(cache))
        before = seen.sum()
        used = 1 + spec.recipe.cached_views
        seen[rows.train] = np.maximum(seen[rows.train], used)
        plain = np.concatenate([rows.val, self._resources.tasks[spec.task].splits.test])
        seen[plain] = np.maximum(seen[plain], 1)
        return int(seen.sum() - before)

    def _rate(self, spec: RunSpec) -> Rates:
        """Of the student; classes and batch of the first run that asks stand for all."""
        key = (spec.student, spec.image_size)
        if key not in self._rates:
            self._rates[key] = self._trial(spec) if self._measured else self._assumed(spec)
        return self._rates[key]

    def _trial(self, spec: RunSpec) -> Rates:
        task, device = self._resources.tasks[spec.task], self._resources.device
        channels, classes = task.manifest.in_channels, len(task.classes)
        student = self._resources.student(
            spec.student, classes, spec.image_size, pretrained=False, seed=0, in_channels=channels
        ).network
        batch, size = spec.recipe.batch_images // device.shares, spec.image_size  # of cards the first is tried
        return Rates(
            training_rate(student, size, batch, device, TRIAL_SECONDS, channels=channels),
            inference_rate(student, size, EVALUATION_BATCH, device, TRIAL_SECONDS, channels=channels),
        )

    def _assumed(self, spec: RunSpec) -> Rates:
        _, macs = self._resources.student_cost(spec.student, spec.task, spec.image_size)
        return Rates(ASSUMED_MACS / (3 * macs), ASSUMED_MACS / macs)

    def _teacher(self, spec: TeacherSpec) -> float:
        """Images per second through the teacher."""
        if spec not in self._teachers:
            teacher = self._resources.teacher(spec)
            macs = None if self._measured else teacher.macs  # what cannot be counted is tried
            self._teachers[spec] = (
                inference_rate(teacher.module, teacher.image_size, TEACHER_BATCH, self._resources.device, TRIAL_SECONDS)
                if macs is None
                else ASSUMED_MACS / macs
            )
        return self._teachers[spec]


def _embedded(cache: EmbeddingCache) -> NDArray[np.int64]:
    """How many views of each image the cache holds, the plain one among them."""
    rows = np.arange(len(cache.pack.task.labels))
    counts = np.full(len(rows), cache.views - PLAIN)
    for view in range(PLAIN, cache.views):
        first = cache.positions(rows[:1], view)
        counts[cache.store.missing(cache.positions(rows, view)) - first] -= 1
    return counts
