"""A worker process of the local engine: makes the runs that it is sent, one after another, and tells how far it is."""

from __future__ import annotations

import os
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NoReturn

import torch

from azeotrope.devices.memory import give_back_freed_memory
from azeotrope.errors import AzeotropeError
from azeotrope.record.machine import energy
from azeotrope.record.run import RunRecord
from azeotrope.sweeping.engines._bench import Bench
from azeotrope.sweeping.runs.runner import Runner
from azeotrope.sweeping.runs.training import assist
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.parallel.processes import ALONE, OutOfStepError, Processes, joined

TELL_SECONDS = 0.5  # how often a run tells how far it is
CARD_FAILED = 70  # exit status: an error inside a layer below, as in sysexits.h


@dataclass(frozen=True)
class Ready:
    """The worker has opened everything and can make runs."""


@dataclass(frozen=True)
class Advanced:
    """The run has trained on so many images more."""

    run_id: str
    images: int


@dataclass(frozen=True)
class Made:
    """The run's record is in the store; it took so many seconds."""

    record: RunRecord
    seconds: float


@dataclass(frozen=True)
class Separated:
    """Processes that train together cannot go on with this run; `final` where they could not if they began again."""

    reason: str
    final: bool = False


@dataclass(frozen=True)
class Broken:
    """Something that is no run's own fault."""

    error: Exception


def made(runner: Runner, spec: RunSpec, *, keeps: bool) -> Made:
    """Make a run and, unless its weights are to be kept, delete what only it needed."""
    began = time.perf_counter()
    record = runner.run(spec)
    if record.state == "done" and not keeps:
        runner.tidy(spec)
    return Made(record, time.perf_counter() - began)


def end_with_card() -> NoReturn:
    """End this process, since no kernel works in it any more: whoever holds the engine tries the run again in another.
    At once, because cleaning up would wait for the card.
    """
    traceback.print_exc()
    os._exit(CARD_FAILED)


@dataclass(frozen=True)
class Place:
    """Which this process is among those that train together, and the file by which they find each other."""

    rank: int
    meeting: Path


def work(bench: Bench, line: Connection, place: Place | None = None) -> None:
    """Make what comes over `line` until it is closed; with a `place` other than the first's, help its leader to."""
    _die_with_parent()
    energy.share()
    try:
        processes = joined(bench.device, place.rank, place.meeting) if place else ALONE
        if not processes.leads:
            help_out(bench, processes)
        teller = _Teller(line)
        runner = bench.open(teller.advance, processes=processes)
        line.send(Ready())
        while True:
            spec: RunSpec = line.recv()
            teller.run_id = spec.digest()
            done = made(runner, spec, keeps=bench.keeps)
            teller.flush()
            line.send(done)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return
    except AzeotropeError as error:
        line.send(Broken(error))
    except OutOfStepError as error:
        line.send(Separated(str(error), error.final))
        threading.Event().wait()  # to be killed: if it ended, the others would tell of that in the place of the cause
    except torch.AcceleratorError:
        end_with_card()
    except Exception as error:  # a defect: the conductor's process shows where
        line.send(Broken(RuntimeError(f"{error}\nIn a worker:\n{traceback.format_exc()}")))


def help_out(bench: Bench, processes: Processes) -> NoReturn:
    """Take part in one training after another."""
    runner = bench.open(processes=processes)
    while True:
        assist(runner.resources, runner.work)
        give_back_freed_memory()


class _Teller:
    """Tells over the line at most twice a second, so that a batch of a millisecond is not slowed by it."""

    def __init__(self, line: Connection) -> None:
        self.run_id = ""
        self._line, self._images, self._told = line, 0, time.monotonic()

    def advance(self, images: int) -> None:
        """Count, and tell when it is time."""
        self._images += images
        if time.monotonic() - self._told > TELL_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Tell what was counted."""
        self._line.send(Advanced(self.run_id, self._images))
        self._images, self._told = 0, time.monotonic()


def _die_with_parent() -> None:
    """A killed parent cannot end its workers: each watches it."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
