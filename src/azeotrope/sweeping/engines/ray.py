"""Runs on a Ray cluster: many machines, or fractions of a GPU, with the same records as on one machine.

Each worker is a Ray actor that holds its CPUs and its part of a GPU for the whole sweep, so that it opens task,
teacher and packs once. A worker that dies is replaced, and its run reported as lost; one that has no place on the
cluster yet is given no run, so a cluster that shrinks goes on with what is left. Packs and embeddings lie in a folder
of each node that its workers share; records go to the store, which every node must reach.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from azeotrope.errors import AzeotropeError, InputError, message_of
from azeotrope.sweeping.engines._bench import Bench
from azeotrope.sweeping.engines._engine import Advance, EngineSpec, Event, Finished, Lost
from azeotrope.sweeping.engines._ray_cluster import connect, import_ray
from azeotrope.sweeping.engines._ray_embed import embed_all, pieces
from azeotrope.sweeping.engines._ray_worker import Home, Worker, leave, remove
from azeotrope.sweeping.engines._worker import Made
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.spec import RunSpec

POLL_SECONDS = 1.0  # how often running workers are asked how far they are
MOST_DEATHS = 5  # of workers in a row before they are open: then it is not bad luck


def open_engine(bench: Bench, spec: EngineSpec, advance: Advance, resources: Resources | None = None) -> RayEngine:
    """Workers on the cluster at `spec.address`: as many as fit, unless `spec` says how many. None is this process, so
    that what it has open (`resources`) serves none of them.

    A run has `spec.threads` CPUs (1), and `spec.gpus` of a GPU (1 where the sweep was planned on CUDA, else 0).

    Raises InputError when no cluster answers or no node of it has room for one worker, MissingDependency without ray.
    """
    if bench.device.shares > 1:
        raise InputError(
            "Ray gives each run a card, or a part of one",
            found=f"--device {bench.device.called}, which share every run",
            allowed="--device cuda, or no --device",
            next_step="take this machine's own cards without Ray, or let runs of the cluster have a card each",
        )
    ours = connect(spec.address)
    gpus = spec.gpus if spec.gpus is not None else float(bench.device.name.startswith("cuda"))
    device = replace(bench.device, name="cuda" if gpus else "cpu")
    threads = spec.threads or 1
    bench = replace(bench, device=device, threads=threads)
    needs = {"CPU": float(threads), "GPU": gpus}
    try:
        room = _room(needs)
        return RayEngine(bench, needs, spec.workers or room, advance, ours=ours)
    except BaseException:
        if ours:
            import_ray().shutdown()
        raise


@dataclass
class _Seat:
    """A worker and what it does: opens (`ref` without `spec`), runs (both), waits for a run (neither)."""

    actor: Any
    ref: Any
    spec: RunSpec | None = None
    images: int = 0
    asked: Any = None


class RayEngine:
    """`workers` actors with `needs` each (CPU and GPU, fractions allowed); see `_engine.Engine`."""

    def __init__(self, bench: Bench, needs: dict[str, float], workers: int, advance: Advance, *, ours: bool) -> None:
        self.workers = workers
        self._ray, self._advance, self._ours = import_ray(), advance, ours
        self._share = {"num_cpus": needs["CPU"], "num_gpus": needs["GPU"]}
        self._kind = self._ray.remote(Worker).options(**self._share, max_concurrency=2)  # a run, and `images`
        bench = bench.to_send()
        self._bench = self._ray.put(bench)
        self._home = Home(sign=f".ray-{uuid.uuid4().hex}")
        self._left = leave(bench, self._home)
        self._waiting: list[RunSpec] = []
        self._pretrained: set[str] = set()
        self._deaths = 0
        self._seats: list[_Seat] = []

    def prepare(self, specs: Sequence[RunSpec], resources: Resources) -> int:
        """Embed what these runs will ask the teacher, on the whole cluster; before any run, as workers hold what they
        need of it. Gives the number of images embedded; `resources` are those of the sweep's own cache.
        """
        work = list(pieces(specs, resources))
        try:
            return embed_all(self._ray, work, self._bench, self._home, self._share, self.workers)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from None

    def submit(self, spec: RunSpec) -> None:
        """Begin a run as soon as a worker is open and, for an upstream run, nobody is making its pre-training."""
        self._seats = self._seats or [self._seat() for _ in range(self.workers)]
        self._waiting.append(spec)
        self._assign()

    def wait(self, seconds: float) -> Sequence[Event]:
        """What ended, as soon as something did, at most after `seconds`."""
        until, events = time.monotonic() + seconds, list[Event]()
        while not events and (left := until - time.monotonic()) > 0:
            refs = {seat.ref: seat for seat in self._seats if seat.ref is not None}
            if not refs:
                time.sleep(left)  # nothing is under way: the runs left are made by another sweep
                break
            ended, _ = self._ray.wait(list(refs), timeout=min(left, POLL_SECONDS))
            for ref in ended:
                events += self._ended(refs[ref])
            self._ask()
            self._assign()
        return events

    def close(self) -> None:
        """End all workers, remove what was left for them, and end the connection if it was made here. A cluster frees
        an object when nobody refers to it, which a traceback would go on to do.
        """
        try:
            for seat in self._seats:
                self._ray.kill(seat.actor)
        finally:
            self._seats, self._waiting, self._bench = [], [], None
            try:
                remove(self._left)
            finally:
                if self._ours:
                    self._ray.shutdown()

    def _seat(self) -> _Seat:
        actor = self._kind.remote()
        return _Seat(actor, actor.open.remote(self._bench, self._home))

    def _assign(self) -> None:
        for seat in self._seats:
            if seat.ref is None and (spec := self._next()) is not None:
                self._waiting.remove(spec)
                seat.spec, seat.images, seat.asked = spec, 0, None
                seat.ref = seat.actor.run.remote(spec)

    def _next(self) -> RunSpec | None:
        """The first waiting run that would not make a pre-training which another worker is making now."""
        under_way = {_pretraining(seat.spec) for seat in self._seats if seat.spec is not None} - self._pretrained
        return next((spec for spec in self._waiting if _pretraining(spec) not in under_way - {None}), None)

    def _ended(self, seat: _Seat) -> list[Event]:
        """What a worker's answer means. Raises what is no run's own fault."""
        spec, ref, seat.spec, seat.ref = seat.spec, seat.ref, None, None
        try:
            answer: tuple[Made, int] | None = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except self._ray.exceptions.RayError as error:
            self._replace(seat, error, opening=spec is None)
            return [] if spec is None else [Lost(spec.digest(), message_of(error))]
        self._deaths = 0
        if spec is None or answer is None:  # it has opened
            return []
        made, images = answer
        self._pretrained |= {digest for digest in [_pretraining(spec)] if digest}
        self._advance(spec.digest(), images - seat.images)
        return [Finished(spec.digest(), made.record, made.seconds)]

    def _replace(self, seat: _Seat, error: Exception, *, opening: bool) -> None:
        """A new worker for one that died; it has a place as soon as the cluster has one."""
        self._deaths += opening
        if self._deaths >= MOST_DEATHS:
            raise AzeotropeError(
                "Ray's workers die before they can take a run",
                found=message_of(error),
                next_step="install the same azeotrope on every node, or look into Ray's own logs of these workers",
            )
        self._ray.kill(seat.actor)  # it may be out of reach only
        fresh = self._seat()
        seat.actor, seat.ref = fresh.actor, fresh.ref

    def _ask(self) -> None:
        """Ask every running worker how far it is, and pass on what has been answered; a dead one's silence is heard
        elsewhere.
        """
        for seat in self._seats:
            if seat.spec is None:
                continue
            if seat.asked is not None and self._ray.wait([seat.asked], timeout=0)[0]:
                try:
                    images = self._ray.get(seat.asked)
                except self._ray.exceptions.RayError:
                    continue
                self._advance(seat.spec.digest(), images - seat.images)
                seat.images, seat.asked = images, None
            if seat.asked is None:
                seat.asked = seat.actor.images.remote()


def _room(needs: dict[str, float]) -> int:
    """How many workers fit on the cluster as it stands. Raises InputError when no node has room for one."""
    nodes = [node["Resources"] for node in import_ray().nodes() if node["Alive"]]
    fits = [min(int(node.get(kind, 0) / need) for kind, need in needs.items() if need) for node in nodes]
    if not sum(fits):
        asked = ", ".join(f"{need:g} {kind}" for kind, need in needs.items() if need)
        largest = "; ".join(", ".join(f"{node.get(kind, 0):g} {kind}" for kind in needs) for node in nodes[:5])
        raise InputError(
            "No node of the Ray cluster has room for one run",
            found=f"{asked} asked of nodes with {largest or 'nothing'}",
            allowed="threads and gpus that one node has",
            next_step="ask for less (threads, gpus), or start larger nodes first",
        )
    return sum(fits)


def _pretraining(spec: RunSpec) -> str | None:
    return spec.pretraining().digest() if spec.upstream is not None else None


def _cause(error: Any) -> Exception:
    """What the worker met; Ray's wrapper only where the exception itself could not travel."""
    cause = error.cause
    return cause if isinstance(cause, Exception) else error
