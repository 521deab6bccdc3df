"""Where the torch half that makes runs meets the NumPy half that judges them: the adaptive rule as a sweep's chooser,
and the answer as it firms up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf

from azeotrope.errors import AzeotropeError
from azeotrope.planning.adaptive import Step, next_step
from azeotrope.planning.candidates import Candidate
from azeotrope.record.folds import pooled
from azeotrope.record.run import RunRecord
from azeotrope.sweeping.budget import Meter
from azeotrope.sweeping.conductor import Choice
from azeotrope.sweeping.plans.grid import Grid
from azeotrope.sweeping.spec import RunSpec

FIRMING_SHARE = 0.01  # of the sweep's time may go into saying how the answer firms up


class Deciding:
    """Chooses the runs that tell most about who wins at the plan's `at` images (`train_images: auto`)."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.dropped: tuple[str, ...] = ()

    def choose(
        self, records: Sequence[RunRecord], running: Sequence[RunSpec], prices: Callable[[str], float], budget: float
    ) -> Choice:
        """See `sweeping.conductor.Chooser`."""
        specs = {candidate(spec, 0.0).key: spec for spec in self._grid.specs}
        step = next_step(
            records,
            [candidate(spec, prices(spec.digest())) for spec in self._grid.specs],
            at=self._grid.at,
            running=[candidate(spec, 0.0) for spec in running],
            budget_left=None if isinf(budget) else max(0.0, budget),
        )
        self.dropped = tuple(f"{item.student}: {item.reason}" for item in step.dropped)
        return Choice(
            tuple(specs[run.key] for run in step.runs),
            f"{step.stop.replace('_', ' ')}: {step.reason}" if step.stop else None,
            firmed(step),
            paired=True,
            unpaid=tuple(specs[run.key] for run in step.unpaid),
        )


class Firming:
    """Says how the answer stands while all runs of a plan are made; rests so long that it costs next to nothing.

    The last time it does not rest: what is said when a sweep ends is of all its runs.
    """

    def __init__(self, grid: Grid, meter: Meter) -> None:
        self._grid, self._meter, self._spent = grid, meter, 0.0
        self._one_teacher = len(grid.plan.teachers) <= 1  # under two teachers an arm has two curves of one name

    def __call__(self, records: Sequence[RunRecord], last: bool) -> str | None:
        """A sentence, or None when it is not worth its time now."""
        began = self._meter.spent_seconds
        if not self._one_teacher or (self._spent > FIRMING_SHARE * began and not last):
            return None
        try:
            done = [run for run in pooled(records) if run.state == "done"]
            step = next_step(done, [candidate(spec, 1.0) for spec in self._grid.specs], at=self._grid.at)
        except AzeotropeError as refusal:  # these runs cannot say; they may still be worth making
            return str(refusal.rule)
        finally:
            self._spent += self._meter.spent_seconds - began
        return firmed(step)


def candidate(spec: RunSpec, price: float) -> Candidate:
    """A run as the adaptive rule sees it."""
    upstream = spec.upstream.pretrain_images if spec.upstream else 0
    return Candidate(spec.student, spec.arm.name, spec.train_images, spec.seed, price, upstream)


def firmed(step: Step) -> str:
    """Where each student's question stands, a line each."""
    return "\n".join(f"{question.student.removeprefix('timm:')}: {question.said}" for question in step.questions)
