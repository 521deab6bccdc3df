"""One worker of the Ray engine, in a process of its own on some node. It knows nothing of Ray.

A worker stays from run to run, so that what is costly to open (the task's list of images, the teacher, packs, CUDA) is
opened once, which a Ray task would do for each run.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from azeotrope.data.sources._places import cache_root
from azeotrope.errors import InputError
from azeotrope.record.machine import energy
from azeotrope.record.storage.store import RunStore, write_atomically
from azeotrope.spec import digest
from azeotrope.sweeping.engines import _carried
from azeotrope.sweeping.engines._bench import Bench, StoredTask
from azeotrope.sweeping.engines._worker import Made, end_with_card, made
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.spec import RunSpec


@dataclass(frozen=True)
class Home:
    """Where the sweep was started: the machine, the folder of its relative paths, and the name of an empty file in the
    store and in the cache by which a worker knows that it sees the same ones.
    """

    sign: str
    machine: str = field(default_factory=platform.node)
    folder: str = field(default_factory=lambda: str(Path.cwd()))


class Worker:
    """Makes one run at a time in one thread, and tells in another how far it is."""

    def __init__(self) -> None:
        self._images = 0
        self._runner: Runner | None = None
        self._threads: int | None = None
        self._keeps = False

    def open(self, bench: Bench, home: Home) -> None:
        """Get ready. Raises InputError where this node sees other images than were planned with, or not the store."""
        if Path(home.folder).is_dir():
            os.chdir(home.folder)
        _check_store(bench.store, home.sign)
        self._threads, self._keeps = bench.threads, bench.keeps
        energy.share()  # a node may have several workers
        here = at_home(bench, home)
        bring(here, home)
        self._runner = here.open(self._advance)

    def run(self, spec: RunSpec) -> tuple[Made, int]:
        """Make this run; its record is then in the store. Pre-trainings are taken from there, and left there.

        Also gives the images that it was trained on.
        """
        assert self._runner is not None
        if self._threads is not None:
            torch.set_num_threads(self._threads)  # a setting of the thread, and Ray may take another one each time
        self._images = 0
        _carried.fetch(self._runner, spec)
        try:
            done = made(self._runner, spec, keeps=self._keeps)
        except torch.AcceleratorError:
            end_with_card()
        _carried.keep(self._runner, spec)
        return done, self._images

    def images(self) -> int:
        """Images that the run under way was trained on so far."""
        return self._images

    def _advance(self, images: int) -> None:
        self._images += images


def at_home(bench: Bench, home: Home) -> Bench:
    """The bench with folders of this machine: elsewhere than at home, unfinished trainings lie in the user's cache
    there, and so do packs and embeddings unless the sweep's own cache is a folder that this machine shares.
    """
    if platform.node() == home.machine:
        return bench
    cache = bench.cache if sees_cache(bench, home) else cache_root()
    return replace(bench, out=cache_root() / "sweeps" / digest(bench.store), cache=cache)


def sees_cache(bench: Bench, home: Home) -> bool:
    """Whether the sweep's cache is the same folder here as at home."""
    return (bench.cache / home.sign).exists()


def leave(bench: Bench, home: Home) -> list[tuple[RunStore, str]]:
    """Sign store and cache, and leave what was listed in the store too, for nodes with a cache of their own. Gives what
    is to be removed when the sweep ends: places and names.
    """
    store, cache = RunStore(bench.store), RunStore(str(bench.cache))
    names = [_in_store(home, task.name) for task in bench.tasks if isinstance(task, StoredTask)]
    left = [(store, home.sign), (cache, home.sign), *((store, name) for name in names)]
    try:
        for place in (store, cache):
            place.write(home.sign, b"")
        for task in bench.tasks:
            if isinstance(task, StoredTask):
                store.write(_in_store(home, task.name), (bench.cache / task.name).read_bytes())
    except BaseException:  # nobody would know of what is there by now
        remove(left)
        raise
    return left


def remove(left: Sequence[tuple[RunStore, str]]) -> None:
    """Remove what `leave` left, whichever of it is there."""
    for place, name in left:
        place.remove(name)


def bring(bench: Bench, home: Home) -> None:
    """Fetch what was listed into the cache of this node, unless it is there, whole."""
    for task in bench.tasks:
        if isinstance(task, StoredTask) and not task.is_in(bench.cache):
            content = RunStore(bench.store).read(_in_store(home, task.name))
            if content is not None:
                write_atomically(bench.cache / task.name, content, durable=False)


def _in_store(home: Home, name: str) -> str:
    return f"{home.sign}-{name}"


def _check_store(store: str, sign: str) -> None:
    if RunStore(store).read(sign) is None:
        raise InputError(
            "Every node of the Ray cluster must reach the store of the records",
            found=f"{platform.node()} sees another {store}, or none",
            allowed="a URL such as s3://bucket/sweep, or a folder that all nodes share",
            next_step="give the sweep an --out that all nodes reach, or leave out --address to use this machine",
        )
