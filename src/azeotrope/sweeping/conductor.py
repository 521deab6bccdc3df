"""Carries out a sweep: which run next, on which worker, until all are made, the budget is spent or the answer is clear.

Everything that matters is in the store, so a sweep that is killed goes on where it was: only runs under way are lost.
It makes no run itself (`engines`) and judges no result (`Chooser`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from azeotrope.record.run import RunRecord
from azeotrope.record.storage.claims import Claims
from azeotrope.record.storage.store import RunStore
from azeotrope.sweeping.budget import Meter
from azeotrope.sweeping.engines._engine import Engine, Event, Finished, Lost
from azeotrope.sweeping.forecast import Forecast
from azeotrope.sweeping.runs.runner import images_trained
from azeotrope.sweeping.spec import RunSpec
from azeotrope.sweeping.status import Running, Status, Unseen, View, label

WAIT_SECONDS = 1.0
MOST_LOSSES = 3  # a run whose worker dies so often is taken for the cause
COMPLETE = "every run of the plan is made"
OVER_BUDGET = "does not fit in the budget"
SPENT = "the budget is spent"


@dataclass(frozen=True)
class Choice:
    """The runs to make next, in order; or why to stop. Neither: wait for what is under way.

    `paired`: those of one student, size and seed are worth making together only. `unpaid` are wanted too, and do not
    fit in the budget now.
    """

    specs: tuple[RunSpec, ...] = ()
    stop: str | None = None
    said: str = ""
    paired: bool = False
    unpaid: tuple[RunSpec, ...] = ()


Say = Callable[[Sequence[RunRecord], bool], str | None]
"""Told all records so far, and whether no run will follow: how the answer stands, or None for what was said before."""


class Chooser(Protocol):
    """Decides which runs are worth making."""

    def choose(
        self, records: Sequence[RunRecord], running: Sequence[RunSpec], prices: Callable[[str], float], budget: float
    ) -> Choice:
        """What to make next, knowing all records of the plan so far; `prices` of run ids and `budget` in seconds."""


class Everything:
    """All runs of the plan, in its order."""

    def __init__(self, specs: Sequence[RunSpec]) -> None:
        self._specs = tuple(specs)

    def choose(
        self, records: Sequence[RunRecord], running: Sequence[RunSpec], prices: Callable[[str], float], budget: float
    ) -> Choice:
        """Those that nobody has recorded or begun."""
        known = {record.run_id for record in records} | {spec.digest() for spec in running}
        left = tuple(spec for spec in self._specs if spec.digest() not in known)
        return Choice(left, None if left or running else COMPLETE)


@dataclass(frozen=True)
class Outcome:
    """How a sweep ended: the records of its plan, what was left out and why, why it stopped, and where time went.

    `seconds_in_runs` adds up over `workers`.
    """

    records: tuple[RunRecord, ...]
    made: int
    left_out: dict[str, str]
    stopped: str
    seconds: float
    seconds_in_runs: float
    workers: int


@dataclass
class Conductor:
    """One sweep over `specs`. `failed` makes the record of a run that no worker survives; `deploy` are the export
    targets that a record must have been measured as; `tracked` is told of every record that comes.
    """

    specs: Sequence[RunSpec]
    store: RunStore
    engine: Engine
    chooser: Chooser
    forecast: Forecast
    meter: Meter
    claims: Claims
    failed: Callable[[RunSpec, str], RunRecord]
    records: dict[str, RunRecord]
    view: View = field(default_factory=Unseen)
    say: Say = lambda records, last: None
    status: Status = field(default_factory=Status)
    deploy: tuple[str, ...] = ()
    tracked: Callable[[RunRecord], None] = lambda record: None

    def __post_init__(self) -> None:
        self._by_id = {spec.digest(): spec for spec in self.specs}
        self._queue: list[RunSpec] = []
        self._under_way: dict[str, RunSpec] = {}
        self._losses: dict[str, int] = {}
        self._left_out: dict[str, str] = {}
        self._unpaid: tuple[RunSpec, ...] = ()
        self._pairs: dict[str, tuple[RunSpec, ...]] = {}
        self._made, self._in_runs = 0, 0.0
        self._stop: str | None = None
        self._asked: tuple[int, int] | None = None

    def conduct(self) -> Outcome:
        """Make what is worth making; returns when nothing is left to do or to wait for."""
        self._show()
        while self._refilled() or self._under_way:
            self._start()
            for event in self.engine.wait(WAIT_SECONDS):
                self._ended(event)
            self._show()
        if self._made:
            self._tell(last=True)
            self._show()
        missing = dict.fromkeys([*self._left_out, *(spec.digest() for spec in self._unpaid)], OVER_BUDGET)
        left_out = {run_id: reason for run_id, reason in missing.items() if run_id not in self.records}
        return Outcome(
            tuple(self.records[run_id] for run_id in self._by_id if run_id in self.records),
            self._made,
            left_out,
            self._stop or SPENT,
            self.meter.spent_seconds,
            self._in_runs,
            self.engine.workers,
        )

    def _refilled(self) -> bool:
        """Whether there is something to start, now or when another sweep is done with it."""
        if not self._queue and not self._stop and len(self._under_way) < self.engine.workers:
            self._ask()
        return bool(self._queue)

    def _ask(self) -> None:
        """Let the chooser fill the queue, once for what is known now."""
        known = (len(self.records), len(self._under_way))
        if known == self._asked:
            return
        self._asked = known
        budget = self.meter.seconds_left * self.engine.workers if self.meter.runs_left >= 1 else 0.0
        choice = self.chooser.choose(list(self.records.values()), list(self._under_way.values()), self._price, budget)
        self._queue = [spec for spec in choice.specs if spec.digest() not in self._left_out]
        self._pairs = side_by_side(self._queue) if choice.paired else {}
        self._stop, self.status.said, self._unpaid = choice.stop, choice.said or self.status.said, choice.unpaid

    def _start(self) -> None:
        """Give idle workers what may be started, in the order of the queue."""
        elsewhere = self.claims.others() if self._queue else set()
        self.status.elsewhere = len(elsewhere)
        for spec in sorted(self._queue, key=self._is_shared):
            if len(self._under_way) >= self.engine.workers:
                return
            if spec in self._queue:  # not left out meanwhile with another that it is compared with
                self._consider(spec, elsewhere)

    def _consider(self, spec: RunSpec, elsewhere: set[str]) -> None:
        """Start this run, find it recorded, leave it out, or leave it in the queue for later."""
        run_id = spec.digest()
        if run_id in elsewhere or self._tuning(spec) in {*elsewhere, *self._under_way}:
            return
        if (record := self._recorded(run_id)) is not None:
            self._queue.remove(spec)
            self._know(record)
        elif not self._fits(together := self._begun_with(spec)):
            self._queue = [other for other in self._queue if other not in together]
            self._left_out |= {other.digest(): OVER_BUDGET for other in together}
        elif self.claims.take(run_id):
            for other in together:
                self._pairs.pop(other.digest(), None)
            self._queue.remove(spec)
            self._under_way[run_id] = spec
            self.status.running[run_id] = Running(label(spec), images_trained(spec))
            self.meter.runs += 1
            self.engine.submit(spec)

    def _begun_with(self, spec: RunSpec) -> list[RunSpec]:
        """The queued runs that stand or fall with this one; it alone, once the first of them has begun."""
        together = self._pairs.get(spec.digest(), (spec,))
        return [other for other in together if other in self._queue]

    def _fits(self, together: Sequence[RunSpec]) -> bool:
        """Whether all of these may begin now, divided among the workers."""
        prices = [self._price(spec.digest()) if self.forecast.known else 0.0 for spec in together]
        return self.meter.fits(shared_time(prices, self.engine.workers), runs=len(together))

    def _price(self, run_id: str) -> float:
        """Seconds of a run as things stand: it chooses its learning rate itself where no run has done so for it."""
        seconds, first = self.forecast.seconds(run_id), self._tuning(self._by_id[run_id])
        if first is None or first in self._under_way:
            return seconds
        record = self.records.get(first)
        chosen = record is not None and record.state == "done"
        return seconds if chosen else seconds + self.forecast.seconds(first)

    def _ended(self, event: Event) -> None:
        spec = self._under_way.pop(event.run_id)
        self.status.running.pop(event.run_id, None)
        if isinstance(event, Finished):
            self._in_runs += event.seconds
            self.forecast.learn(event.run_id, event.seconds)
            self._made += 1
            self._know(event.record)
            self._tell(last=False)
        else:
            self._lost(spec, event)
        self.claims.drop(event.run_id)

    def _tell(self, *, last: bool) -> None:
        self.status.said = self.say(list(self.records.values()), last) or self.status.said

    def _lost(self, spec: RunSpec, lost: Lost) -> None:
        """Try again, at once; a run that kills its workers, or fails for good, becomes a failed record."""
        run_id = spec.digest()
        self._losses[run_id] = self._losses.get(run_id, 0) + 1
        self.meter.runs -= 1
        if self._losses[run_id] < MOST_LOSSES and not lost.final:
            self._queue.insert(0, spec)
            return
        record = self.failed(spec, lost.reason if lost.final else f"{lost.reason}, {MOST_LOSSES} times")
        self._know(self.store.put_failed(record, self.deploy))

    def _recorded(self, run_id: str) -> RunRecord | None:
        """A record that another sweep has made since this one began; one that failed before is to be made again."""
        record = self.store.get(run_id)
        if record is None:
            return None
        return record if record.is_whole(self.deploy) or run_id in self.records else None

    def _know(self, record: RunRecord) -> None:
        self.records[record.run_id] = record
        self.tracked(record)
        if record.state == "failed":
            self.status.failure(f"{label(self._by_id[record.run_id])}: {record.reason}")

    def _tuning(self, spec: RunSpec) -> str | None:
        """The run that chooses this one's learning rate; they must not choose it side by side."""
        return spec.at_seed(spec.tuning_seed).digest() if spec.seed != spec.tuning_seed else None

    def _is_shared(self, spec: RunSpec) -> bool:
        """Whether a run under way makes the pre-training that this one needs; it would only wait for it."""
        if spec.upstream is None:
            return False
        return spec.pretraining() in [run.pretraining() for run in self._under_way.values() if run.upstream]

    def _show(self) -> None:
        status, records = self.status, list(self.records.values())
        status.planned, status.recorded = len(self.specs), len(records)
        status.done = sum(record.state == "done" for record in records)
        status.failed = len(records) - status.done
        status.seconds_left = self._seconds_left()
        self.view.show(status)

    def _seconds_left(self) -> float | None:
        """Of what is queued and under way, shared by the workers; never beyond the budget."""
        if not self.forecast.known:
            return None
        seconds = sum(self.forecast.seconds(spec.digest()) for spec in self._queue)
        for run_id, running in self.status.running.items():
            seconds += self.forecast.seconds(run_id) * max(0.0, 1 - running.images / running.total)
        return min(seconds / self.engine.workers, self.meter.seconds_left)


def shared_time(seconds: Sequence[float], workers: int) -> float:
    """The least time in which so many workers make runs that take so long."""
    return max(max(seconds), sum(seconds) / workers)


def side_by_side(specs: Sequence[RunSpec]) -> dict[str, tuple[RunSpec, ...]]:
    """By run id, the runs of the same student, size and seed."""
    groups: dict[tuple[str, int, int], list[RunSpec]] = {}
    for spec in specs:
        groups.setdefault((spec.student, spec.train_images, spec.seed), []).append(spec)
    return {spec.digest(): tuple(group) for group in groups.values() for spec in group}
