"""What runs share: tasks, packs, teachers, embedding caches. Each is made once, when the first run needs it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from azeotrope.config import TeacherSpec, ViewPolicy
from azeotrope.data.pack import Pack, open_pack
from azeotrope.data.subset import subset
from azeotrope.data.task import Task
from azeotrope.data.views import PLAIN
from azeotrope.models import cost
from azeotrope.models.device import Device
from azeotrope.models.load import Loaded, load_network
from azeotrope.teacher import gate
from azeotrope.teacher.cache import EmbeddingCache, open_cache
from azeotrope.teacher.head import fit_head
from azeotrope.teacher.teacher import Teacher, load_teacher
from azeotrope.train.dataset import Targets
from azeotrope.train.loop import Rows

VAL_SHARE = 0.25  # validation images for each training image: of N labelled images, four in five train
MIN_VAL_PER_CLASS = 2
ROWS_KEPT = 32  # subsets: drawing one from 60,000 images takes 0.06 s, and a run asks for it ten times


@dataclass(frozen=True)
class Taught:
    """A teacher made ready for one run, and what its head cost in seconds."""

    targets: Targets
    head_seconds: float


@dataclass
class Resources:
    """Everything that does not belong to one run alone. `cache` is a folder that may be deleted at any time."""

    cache: Path
    device: Device
    tasks: dict[str, Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = lru_cache(ROWS_KEPT)(self._rows)
        self.pack = cache(self._pack)
        self.teacher = cache(self._teacher)
        self.taught = cache(self._taught)
        self.hub_weights = cache(self._hub_weights)
        self.student_cost = cache(self._student_cost)

    def add(self, task: Task) -> None:
        """Make a task known by its fingerprint."""
        self.tasks[task.fingerprint] = task

    def _rows(self, fingerprint: str, train_images: int, seed: int) -> Rows:
        """Training and validation rows of a run: nested and stratified in both, the same for every arm of a seed."""
        task = self.tasks[fingerprint]
        val_pool = task.splits.val
        val_images = max(round(VAL_SHARE * train_images), MIN_VAL_PER_CLASS * len(task.classes))
        val_images = min(val_images, len(val_pool))
        checksums = task.manifest.checksums
        return Rows(
            subset(task.splits.train, task.labels, train_images, seed, checksums),
            subset(val_pool, task.labels, val_images, seed, checksums),
        )

    def student(self, name: str, classes: int, image_size: int | None, *, pretrained: bool, seed: int) -> Loaded:
        """A student ready to train."""
        return load_network(name, classes, image_size=image_size, pretrained=pretrained, seed=seed)

    def _pack(self, fingerprint: str, image_size: int) -> Pack:
        return open_pack(self.tasks[fingerprint], self.cache, image_size)

    def _teacher(self, spec: TeacherSpec) -> Teacher:
        return load_teacher(spec, self.device)

    def _hub_weights(self, student: str, image_size: int) -> str:
        loaded = load_network(student, 2, image_size=image_size, pretrained=True, seed=0)
        assert loaded.weights is not None
        return loaded.weights.sha256

    def _student_cost(self, student: str, classes: int, image_size: int) -> tuple[int, int]:
        """Parameters and multiply-accumulates of the student with its head."""
        network = load_network(student, classes, image_size=image_size, pretrained=False, seed=0).network
        return cost.parameters(network), cost.macs(network, image_size)

    def _taught(
        self, spec: TeacherSpec, fingerprint: str, train_images: int, seed: int, policy: ViewPolicy, views: int
    ) -> Taught:
        """Embed this run's images, fit the head on them and no others, pass the gate. Raises RunFailed at the gate."""
        teacher = self.teacher(spec)
        cache = self.embeddings(spec, fingerprint, policy, views)
        rows, labels = self.rows(fingerprint, train_images, seed), self.tasks[fingerprint].labels
        cache.ensure(np.concatenate([rows.train, rows.val]), [PLAIN])
        began = time.perf_counter()
        head = fit_head(
            *_known(cache, rows.train, labels), *_known(cache, rows.val, labels), len(self.tasks[fingerprint].classes)
        )
        seconds = time.perf_counter() - began
        gate.check(teacher.name, head.val_accuracy, labels[rows.val])
        return Taught(Targets(cache, head), seconds)

    def embeddings(self, spec: TeacherSpec, fingerprint: str, policy: ViewPolicy, views: int) -> EmbeddingCache:
        """The cache of this teacher on this task."""
        teacher = self.teacher(spec)
        pack = self.pack(fingerprint, teacher.image_size)
        return open_cache(self.cache, teacher, pack, policy, views)


def _known(
    cache: EmbeddingCache, rows: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[torch.Tensor, torch.Tensor]:
    return cache.read(rows, PLAIN), torch.from_numpy(labels[rows])
