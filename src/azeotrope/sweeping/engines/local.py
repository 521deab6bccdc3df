"""Runs on this machine: in this process for one worker, else in processes that divide its cores between them, and its
CUDA cards by turns.

Workers share packs and embeddings through their folders: whoever needs a row first computes it. A worker that dies is
replaced and its run reported as lost; a worker whose parent dies ends itself.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import torch

from azeotrope.errors import RunFailed
from azeotrope.sweeping.engines._bench import Bench
from azeotrope.sweeping.engines._engine import Advance, Engine, EngineSpec, Event, Finished, Lost
from azeotrope.sweeping.engines._worker import Advanced, Broken, Made, Ready, made, work
from azeotrope.sweeping.resources import Resources
from azeotrope.sweeping.spec import RunSpec

_SPAWN = multiprocessing.get_context("spawn")  # a fork would take over torch's threads in an unknown state


def open_engine(bench: Bench, spec: EngineSpec, advance: Advance, resources: Resources | None = None) -> Engine:
    """One worker unless `spec` asks for more; its cores are those that torch has here, shared out evenly.

    `resources` is what this process has open already; one worker, which is this process, uses it.
    """
    workers = spec.workers or 1
    bench = replace(bench, threads=spec.threads or max(1, torch.get_num_threads() // workers))
    return InProcess(bench, advance, resources) if workers == 1 else Processes(bench.to_send(), workers, advance)


class InProcess:
    """One run at a time, in this process; `wait` makes it."""

    workers = 1

    def __init__(self, bench: Bench, advance: Advance, resources: Resources | None = None) -> None:
        self._advance, self._spec = advance, None
        self._runner = bench.open(self._told, resources)
        self._keeps = bench.keeps

    _spec: RunSpec | None

    def submit(self, spec: RunSpec) -> None:
        """Keep the run for `wait`."""
        self._spec = spec

    def wait(self, seconds: float) -> Sequence[Event]:
        """Make the run that was submitted, however long it takes.

        Raises RunFailed, without a record, when the card fails: this process cannot use it any more.
        """
        if self._spec is None:
            time.sleep(seconds)
            return []
        try:
            done = made(self._runner, self._spec, keeps=self._keeps)
        except torch.AcceleratorError as error:
            raise RunFailed(
                "The card failed in the middle of a run",
                found=str(error).strip().splitlines()[0],
                next_step="give the same command again: it goes on from the last checkpoint; if it fails there again, "
                "take another --device",
            ) from error
        self._spec = None
        return [Finished(done.record.run_id, done.record, done.seconds)]

    def close(self) -> None:
        """Nothing to stop."""

    def _told(self, images: int) -> None:
        assert self._spec is not None
        self._advance(self._spec.digest(), images)


@dataclass
class _Seat:
    """One worker process, the connection to it, whether it has opened, and the run it has under way."""

    process: BaseProcess
    line: Connection
    ready: bool = False
    run_id: str | None = None


class Processes:
    """`workers` processes, each with `bench.threads` threads; see `_engine.Engine`."""

    def __init__(self, bench: Bench, workers: int, advance: Advance) -> None:
        self.workers = workers
        self._bench, self._advance = bench, advance
        self._seats = [self._seat(place) for place in range(workers)]

    def submit(self, spec: RunSpec) -> None:
        """Give the run to a worker that has none."""
        seat = next(seat for seat in self._seats if seat.run_id is None)
        seat.run_id = spec.digest()
        try:
            seat.line.send(spec)
        except OSError:  # it died while it had nothing to do: `wait` finds the line closed
            return

    def wait(self, seconds: float) -> Sequence[Event]:
        """What ended, as soon as something did, at most after `seconds`."""
        until, events = time.monotonic() + seconds, list[Event]()
        while not events and (left := until - time.monotonic()) > 0:
            lines = {seat.line: seat for seat in self._seats}
            for line in wait(list(lines), timeout=left):
                assert isinstance(line, Connection)
                events += self._heard(lines[line])
        return events

    def close(self) -> None:
        """End the workers, whatever they do."""
        for seat in self._seats:
            seat.process.kill()
            seat.process.join()
            seat.line.close()

    def _heard(self, seat: _Seat) -> list[Event]:
        try:
            said = seat.line.recv()
        except (EOFError, OSError):
            return self._replaced(seat)
        match said:
            case Ready():
                seat.ready = True
            case Advanced(run_id, images):
                self._advance(run_id, images)
            case Made(record, seconds):
                seat.run_id = None
                return [Finished(record.run_id, record, seconds)]
            case Broken(error):
                raise error
        return []

    def _replaced(self, seat: _Seat) -> list[Event]:
        """A dead worker's place is filled; the run it had is lost."""
        seat.process.join()
        place = self._seats.index(seat)
        seat.line.close()
        if not seat.ready and seat.process.exitcode == 1:  # killed it would have a negative status
            raise RunFailed(
                "A worker process could not start",
                next_step="see above why; a script that calls sweep must do so under `if __name__ == '__main__':`",
            )
        self._seats[place] = self._seat(place)
        return [Lost(seat.run_id, f"its worker died (exit status {seat.process.exitcode})")] if seat.run_id else []

    def _seat(self, place: int) -> _Seat:
        ours, theirs = _SPAWN.Pipe()
        bench = replace(self._bench, device=self._bench.device.for_worker(place))
        process = _SPAWN.Process(target=work, args=(bench, theirs), daemon=True)
        process.start()
        theirs.close()
        return _Seat(process, ours)
