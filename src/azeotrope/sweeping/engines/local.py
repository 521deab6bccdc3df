"""Runs on this machine: in this process for one worker, else in processes that divide its cores between them, and its
CUDA cards by turns.

Workers share packs and embeddings through their folders: whoever needs a row first computes it. A worker that dies is
replaced and its run reported as lost; a worker whose parent dies ends itself. Where a run is shared by several cards, a
worker is as many processes: one makes the runs, and the others help it to train.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from azeotrope.errors import InputError, RunFailed, message_of
from azeotrope.sweeping.engines._bench import Bench
from azeotrope.sweeping.engines._engine import Advance, Engine, EngineSpec, Event, Finished, Lost
from azeotrope.sweeping.engines._worker import (
    Advanced,
    Broken,
    Made,
    Place,
    Ready,
    Separated,
    made,
    work,
)
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec

_SPAWN = multiprocessing.get_context("spawn")  # a fork would take over torch's threads in an unknown state


def open_engine(bench: Bench, spec: EngineSpec, advance: Advance, resources: Resources | None = None) -> Engine:
    """One worker unless `spec` asks for more; its cores are those that torch has here, shared out evenly.

    `resources` is what this process has open already; one worker, which is this process, uses it. Raises InputError
    for several workers on cards that share every run.
    """
    workers, shares = spec.workers or 1, bench.device.shares
    if workers > 1 and shares > 1:
        raise InputError(
            "Cards either share every run, or have runs of their own",
            found=f"--workers {workers} on {bench.device.called}",
            allowed=f"one worker; or --device {bench.device.kind} with --workers {shares}, a run on each card",
            next_step="leave --workers out to share every run",
        )
    bench = replace(bench, threads=spec.threads or max(1, torch.get_num_threads() // (workers * shares)))
    alone = workers * shares == 1
    return InProcess(bench, advance, resources) if alone else Workers(bench.to_send(), workers, advance)


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
                found=message_of(error),
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
    """One worker: its processes and the connections to them, the leader's first; whether it has opened, and the run it
    has under way. Where it has several processes, they meet in the folder `meeting`.
    """

    processes: list[BaseProcess]
    lines: list[Connection]
    meeting: TemporaryDirectory[str] | None = None
    ready: bool = False
    run_id: str | None = None

    @property
    def line(self) -> Connection:
        """The connection to the process that makes the runs."""
        return self.lines[0]

    def end(self) -> None:
        """End its processes, whatever they do."""
        for process in self.processes:
            process.kill()
        for process, line in zip(self.processes, self.lines, strict=True):
            process.join()
            line.close()
        if self.meeting is not None:
            self.meeting.cleanup()


class Workers:
    """`workers` worker processes, each with `bench.threads` threads; see `_engine.Engine`."""

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
            lines = {line: seat for seat in self._seats for line in seat.lines}
            speaking = wait(list(lines), timeout=left)
            for line, seat in lines.items():
                if line in speaking and not line.closed:  # by what another line of its worker said
                    events += self._heard(seat, line)
        return events

    def close(self) -> None:
        """End the workers, whatever they do."""
        for seat in self._seats:
            seat.end()

    def _heard(self, seat: _Seat, line: Connection) -> list[Event]:
        try:
            said = line.recv()
        except (EOFError, OSError):
            return self._replaced(seat, line)
        match said:
            case Ready():
                seat.ready = True
            case Advanced(run_id, images):
                self._advance(run_id, images)
            case Made(record, seconds):
                seat.run_id = None
                return [Finished(record.run_id, record, seconds)]
            case Separated(reason, final):
                return self._replaced(seat, line, reason, final=final)
            case Broken(error):
                raise error
        return []

    def _replaced(self, seat: _Seat, line: Connection, reason: str = "", *, final: bool = False) -> list[Event]:
        """A dead worker's place is filled; the run it had is lost. Of several processes one that died is the reason."""
        if not reason:
            seat.processes[seat.lines.index(line)].join()
        died = next((process.exitcode for process in seat.processes if process.exitcode is not None), None)
        if not final and died is not None:
            reason = f"its worker died (exit status {died})"
        self._renew(seat)
        if not seat.ready and died == 1:  # killed it would have a negative status
            raise RunFailed(
                "A worker process could not start",
                next_step="see above why; a script that calls sweep must do so under `if __name__ == '__main__':`",
            )
        return [Lost(seat.run_id, reason, final)] if seat.run_id else []

    def _renew(self, seat: _Seat) -> None:
        place = self._seats.index(seat)
        seat.end()
        self._seats[place] = self._seat(place)

    def _seat(self, place: int) -> _Seat:
        """Start the processes of a worker."""
        device = self._bench.device.for_worker(place)
        if device.shares == 1:
            process, line = _started(replace(self._bench, device=device))
            return _Seat([process], [line])
        meeting = TemporaryDirectory(prefix="azeotrope-", ignore_cleanup_errors=True)
        started = [
            _started(replace(self._bench, device=device.share(rank)), Place(rank, Path(meeting.name) / "meeting"))
            for rank in range(device.shares)
        ]
        return _Seat([process for process, _ in started], [line for _, line in started], meeting)


def _started(bench: Bench, place: Place | None = None) -> tuple[BaseProcess, Connection]:
    """A process that works, and our end of the connection to it."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=work, args=(bench, theirs, place), daemon=True)
    process.start()
    theirs.close()
    return process, ours
