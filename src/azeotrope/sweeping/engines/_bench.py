"""What a worker needs to make any run of a sweep, small enough to be sent to it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from azeotrope.data.manifest import Manifest
from azeotrope.data.split import TaskSplits
from azeotrope.data.task import Task, open_source
from azeotrope.devices.device import Device
from azeotrope.devices.process import prepare
from azeotrope.errors import InputError
from azeotrope.labels import ONE_CLASS, LabelSpec
from azeotrope.plan import PicturesSpec
from azeotrope.sweeping.resources import Resources
from azeotrope.sweeping.runner import Runner


@dataclass(frozen=True)
class ShippedTask:
    """A task as it travels: where its images are, and what a scan of them said, so that no worker scans them again."""

    spec: str
    manifest: Manifest
    splits: TaskSplits
    labels: LabelSpec = ONE_CLASS

    @classmethod
    def of(cls, task: Task, spec: str, labels: LabelSpec = ONE_CLASS) -> ShippedTask:
        """Pack a task that was opened from `spec`."""
        return cls(spec, task.manifest, task.splits, labels)

    def open(self) -> Task:
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


@dataclass(frozen=True)
class Bench:
    """Where and with what a worker works. Picklable.

    `store` is the folder or fsspec URL of the records, shared by all workers. `out` (unfinished trainings, in `work`)
    and `cache` (packs, embeddings) are folders of the worker's machine, which workers there share. `threads` is how
    many CPU threads a run has; None leaves torch's own number. Runs are bit-equal at an equal number of threads only.
    With `keeps` the weights of finished runs stay in `work`, for whoever wants the best of them. `deploy` are the
    export targets as whose files each student is measured.
    """

    tasks: tuple[ShippedTask, ...]
    device: Device
    store: str
    out: Path
    cache: Path
    threads: int | None = None
    pictures: PicturesSpec | None = None
    keeps: bool = False
    deploy: tuple[str, ...] = ()

    def open(self, advance: Callable[[int], None] = lambda images: None, resources: Resources | None = None) -> Runner:
        """Open tasks and settings once in this process, unless it has them open: `resources`. The runner keeps models
        and packs from run to run.
        """
        prepare()
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        if resources is None:
            resources = Resources(self.cache, self.device, pictures=self.pictures)
            for task in self.tasks:
                resources.add(task.open())
        return Runner(resources, self.out, advance, self.store, self.deploy)
