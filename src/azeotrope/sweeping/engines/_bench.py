"""What a worker needs to make any run of a sweep. What a scan said of the images goes by way of the cache's disk: it is
400 bytes an image, and a worker is sent the file's name.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from azeotrope.data.division.split import TaskSplits
from azeotrope.data.listing.manifest import Manifest
from azeotrope.data.task import Task, open_source
from azeotrope.devices.device import Device
from azeotrope.devices.process import prepare
from azeotrope.errors import InputError, StoreError
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import PicturesSpec
from azeotrope.record.storage.store import cannot_write, write_atomically
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.train.parallel.processes import ALONE, Processes

LISTS_KEPT = 16  # in a cache, of as many sets: some 400 bytes an image each


@dataclass(frozen=True)
class ShippedTask:
    """Where the images of a task are, and what a scan of them said, so that no worker scans them again."""

    spec: str
    manifest: Manifest
    splits: TaskSplits
    labels: LabelSpec = ONE_CLASS

    @classmethod
    def of(cls, task: Task, spec: str, labels: LabelSpec = ONE_CLASS) -> ShippedTask:
        """Pack a task that was opened from `spec`."""
        return cls(spec, task.manifest, task.splits, labels)

    def stored(self, cache: Path) -> StoredTask:
        """The same in a file of the folder `cache`, named after its content. Raises StoreError where that cannot be
        written.
        """
        bare = replace(self, manifest=replace(self.manifest))  # without what was computed of it on the way
        content = pickle.dumps(bare, protocol=pickle.HIGHEST_PROTOCOL)
        stored = StoredTask(self.spec, hashlib.sha256(content).hexdigest())
        try:
            if stored.is_in(cache):
                os.utime(cache / stored.name)
            else:
                write_atomically(cache / stored.name, content, durable=False)
                _forget_oldest(cache)
        except OSError as error:
            raise cannot_write(cache, error, option="--cache") from error
        return stored

    def open(self, cache: Path) -> Task:
        """The task where it arrived. Raises InputError when the files listed there are not those that were scanned."""
        source = open_source(self.spec, self.labels)
        if tuple(item.key for item in source.items) != self.manifest.keys:
            raise InputError(
                f"The images of {self.spec} are not those that the sweep was planned with",
                found=f"{len(source.items):,} listed, {len(self.manifest.keys):,} planned",
                allowed="the same files in the same place on every machine, from the plan to the last run",
                next_step="put them back, or give the command again with another --out",
            )
        return Task(source, self.manifest, self.splits)


def _forget_oldest(cache: Path) -> None:
    """Keep the lists that sweeps began with last."""
    kept = sorted(cache.glob("listed-*.pickle"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in kept[LISTS_KEPT:]:
        file.unlink(missing_ok=True)


@dataclass(frozen=True)
class StoredTask:
    """A `ShippedTask` as it travels: the file in the cache that holds it. Its `checksum` is SHA-256 (hex): nothing is
    unpickled but what the sweep wrote.
    """

    spec: str
    checksum: str

    @property
    def name(self) -> str:
        """Of the file, in the cache of any machine."""
        return f"listed-{self.checksum[:24]}.pickle"

    def is_in(self, cache: Path) -> bool:
        """Whether the file is there and holds what was written."""
        try:
            content = (cache / self.name).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() == self.checksum

    def open(self, cache: Path) -> Task:
        """As `ShippedTask.open`. Raises StoreError for a file that has gone or is damaged."""
        file = cache / self.name
        try:
            content = file.read_bytes()
        except OSError as error:
            raise self._refused(file, error.strerror or str(error)) from error
        if hashlib.sha256(content).hexdigest() != self.checksum:
            raise self._refused(file, "another content than was written")
        shipped: ShippedTask = pickle.loads(content)
        return shipped.open(cache)

    def _refused(self, file: Path, found: str) -> StoreError:
        return StoreError(
            f"A worker cannot read what was listed of {self.spec} from {file}",
            found=found,
            allowed="the file that the sweep wrote when it began",
            next_step="give the command again: it writes this file anew",
        )


@dataclass(frozen=True)
class Bench:
    """Where and with what a worker works. Picklable.

    `store` is the folder or fsspec URL of the records, shared by all workers. `out` (unfinished trainings, in `work`)
    and `cache` (packs, embeddings) are folders of the worker's machine, which workers there share. `threads` is how
    many CPU threads a run has; None leaves torch's own number. Runs are bit-equal at an equal number of threads only.
    With `keeps` the weights of finished runs stay in `work`, for whoever wants the best of them. `deploy` are the
    export targets as whose files each student is measured.
    """

    tasks: tuple[ShippedTask | StoredTask, ...]
    device: Device
    store: str
    out: Path
    cache: Path
    threads: int | None = None
    pictures: PicturesSpec | None = None
    keeps: bool = False
    deploy: tuple[str, ...] = ()

    def to_send(self) -> Bench:
        """The same with each task as the name of a file in the cache: some hundred bytes, however many images."""
        tasks = [task.stored(self.cache) if isinstance(task, ShippedTask) else task for task in self.tasks]
        return replace(self, tasks=tuple(tasks))

    def open(
        self,
        advance: Callable[[int], None] = lambda images: None,
        resources: Resources | None = None,
        processes: Processes = ALONE,
    ) -> Runner:
        """Open tasks and settings once in this process, unless it has them open: `resources`. The runner keeps models
        and packs from run to run. `processes` train each student together.
        """
        prepare()
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        if resources is None:
            resources = Resources(self.cache, self.device, pictures=self.pictures, processes=processes)
            for task in self.tasks:
                resources.add(task.open(self.cache))
        return Runner(resources, self.out, advance, self.store, self.deploy)
