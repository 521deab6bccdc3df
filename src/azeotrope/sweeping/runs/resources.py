"""What runs share: tasks, packs, teachers, embedding caches. Each is made once, when the first run needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from azeotrope.data.division.subset import subset
from azeotrope.data.packing.pack import Pack, open_pack, open_plain
from azeotrope.data.packing.pack_rows import frames_are_pictures
from azeotrope.data.task import Task
from azeotrope.data.unlabelled import Pool, load_unlabelled
from azeotrope.devices.device import Device
from azeotrope.kinds._kind import Scale
from azeotrope.models import cost
from azeotrope.models.load import Loaded, load_network
from azeotrope.models.pretrained.weights import Weights
from azeotrope.plan import PicturesSpec, TeacherSpec
from azeotrope.recipe import ViewPolicy
from azeotrope.record.labelled_images import validation_images
from azeotrope.record.resizes import Resizes
from azeotrope.sweeping.runs.taught import Taught, make_ready, make_tuned, together
from azeotrope.sweeping.runs.tuned_teacher import Tuning
from azeotrope.synthesis.pictures import SynthSet, open_set
from azeotrope.teacher.cache import EmbeddingCache, open_cache
from azeotrope.teacher.ensemble import Ensemble
from azeotrope.teacher.teacher import Teacher, load_teacher
from azeotrope.teacher.verify import verify
from azeotrope.train.loop import Rows
from azeotrope.train.parallel.processes import ALONE, Processes

ROWS_KEPT = 32  # subsets: drawing one from 60,000 images takes 0.06 s, and a run asks for it ten times


@dataclass
class Resources:
    """Everything that does not belong to one run alone. `cache` is a folder that may be deleted at any time;
    `verify_cache` holds a sample of each teacher cache against the teacher when it is opened. `processes` are those
    that train each student together, of which this is one.
    """

    cache: Path
    device: Device
    tasks: dict[str, Task] = field(default_factory=dict)
    verify_cache: bool = False
    pictures: PicturesSpec | None = None
    processes: Processes = ALONE

    def __post_init__(self) -> None:
        self.rows = lru_cache(ROWS_KEPT)(self._rows)
        self.pack = cache(self._pack)
        self.plain = cache(self._plain)
        self.resize = cache(self._resize)
        self.teacher = cache(self._teacher)
        self.embeddings = cache(self._embeddings)
        self.taught = cache(self._taught)
        self.unlabelled = cache(self._unlabelled)
        self.synth_set = cache(self._synth_set)
        self.pretrained = cache(self._pretrained)
        self.student_cost = cache(self._student_cost)

    def add(self, task: Task) -> None:
        """Make a task known by its fingerprint."""
        self.tasks[task.fingerprint] = task

    def _rows(self, fingerprint: str, train_images: int, seed: int) -> Rows:
        """Training and validation rows of a run: nested and stratified in both, the same for every arm of a seed."""
        task = self.tasks[fingerprint]
        val_pool = task.splits.val
        val_images = validation_images(train_images, task.kind.strata(len(task.classes)), len(val_pool))
        checksums = task.manifest.checksums
        return Rows(
            subset(task.splits.train, task.labels, train_images, seed, checksums, task.kind, task.units),
            subset(val_pool, task.labels, val_images, seed, checksums, task.kind, task.units),
        )

    def scale(self, fingerprint: str, train_images: int, seed: int) -> Scale:
        """What standardises the numbers of a run, from its training images alone."""
        task = self.tasks[fingerprint]
        return task.kind.scale(task.labels[self.rows(fingerprint, train_images, seed).train])

    def student(
        self, name: str, classes: int, image_size: int | None, *, pretrained: bool, seed: int, in_channels: int = 3
    ) -> Loaded:
        """A student ready to train."""
        return load_network(
            name, classes, image_size=image_size, pretrained=pretrained, seed=seed, in_channels=in_channels
        )

    def _pack(self, fingerprint: str, image_size: int) -> Pack:
        return open_pack(self.tasks[fingerprint], self.cache, image_size)

    def _plain(self, fingerprint: str, image_size: int, interpolation: str) -> Pack:
        return open_plain(self.tasks[fingerprint], self.cache, image_size, interpolation)

    def _resize(self, fingerprint: str, image_size: int) -> Resizes | None:
        """What marks the runs of a student of this size on this task: "once" where the frames that it trains on are
        not the pictures as they came, so that it was judged on these frames before.
        """
        return None if frames_are_pictures(self.tasks[fingerprint].manifest, image_size) else "once"

    def _teacher(self, spec: TeacherSpec) -> Teacher | Ensemble:
        if len(spec.members) > 1:
            return Ensemble(tuple(load_teacher(member, self.device) for member in spec.members), spec.model)
        return load_teacher(spec, self.device)

    def resolved(self, spec: TeacherSpec) -> TeacherSpec:
        """The spec with its resolution written out; of several teachers each may have its own."""
        size = self.teacher(spec).image_size
        return spec if len(spec.members) > 1 else spec.model_copy(update={"image_size": size})

    def hub_weights(self, student: str, image_size: int, in_channels: int) -> str:
        """The hash of the student's pretrained weights."""
        return self.pretrained(student, image_size, in_channels).sha256

    def hub_licence(self, student: str, image_size: int, in_channels: int) -> str | None:
        """Their licence, where it is known."""
        return self.pretrained(student, image_size, in_channels).licence

    def _pretrained(self, student: str, image_size: int, in_channels: int) -> Weights:
        loaded = self.student(student, 2, image_size, pretrained=True, seed=0, in_channels=in_channels)
        assert loaded.weights is not None
        return loaded.weights

    def _student_cost(self, student: str, fingerprint: str, image_size: int) -> tuple[int, int]:
        """Parameters and multiply-accumulates of the student with its head for this task."""
        task = self.tasks[fingerprint]
        channels = task.manifest.in_channels
        loaded = self.student(student, len(task.classes), image_size, pretrained=False, seed=0, in_channels=channels)
        return cost.parameters(loaded.network), cost.macs(loaded.network, image_size, channels=channels)

    def _taught(
        self, spec: TeacherSpec, fingerprint: str, train_images: int, seed: int, policy: ViewPolicy, views: int
    ) -> Taught:
        """Embed this run's images, make the head, pass the gate. Raises RunFailed at the gate."""
        rows, task = self.rows(fingerprint, train_images, seed), self.tasks[fingerprint]
        scale = self.scale(fingerprint, train_images, seed)
        if len(spec.members) > 1:
            parts = [self.taught(member, fingerprint, train_images, seed, policy, views) for member in spec.members]
            return together(spec.model, parts, task, rows, scale)
        cache = self.embeddings(spec, fingerprint, policy, views)
        if spec.head != "finetune":
            return make_ready(spec, cache, task, rows, scale)
        tuning = Tuning(spec, cache.teacher, cache.pack, rows, scale, policy, seed, self.cache)
        return make_tuned(tuning, cache, lambda version: self.opened(version, fingerprint, policy, views))

    def _unlabelled(self, fingerprint: str) -> Pool:
        """The unlabelled pictures beside this task. Raises InputError when they cannot be used."""
        assert self.pictures is not None
        assert self.pictures.unlabelled is not None
        return load_unlabelled(self.pictures.unlabelled, self.tasks[fingerprint], self.cache)

    def _synth_set(self, fingerprint: str, train_images: int, seed: int) -> SynthSet:
        """The pictures made for this subset. Raises InputError when there are none."""
        assert self.pictures is not None
        assert self.pictures.synth is not None
        return open_set(Path(self.pictures.synth), self.tasks[fingerprint], train_images, seed)

    def _embeddings(self, spec: TeacherSpec, fingerprint: str, policy: ViewPolicy, views: int) -> EmbeddingCache:
        """The cache of this one teacher on this task."""
        teacher = self.teacher(spec)
        assert isinstance(teacher, Teacher), "each of several teachers has a cache of its own"
        return self.opened(teacher, fingerprint, policy, views)

    def opened(self, teacher: Teacher, fingerprint: str, policy: ViewPolicy, views: int) -> EmbeddingCache:
        """The cache of a loaded teacher on this task, held against the teacher where that was asked."""
        pack = self.pack(fingerprint, teacher.image_size)
        opened = open_cache(self.cache, teacher, pack, policy, views)
        if self.verify_cache:
            verify(opened, np.flatnonzero(pack.task.manifest.readable))
        return opened
