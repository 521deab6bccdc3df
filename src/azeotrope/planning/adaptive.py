"""Which runs of a sweep to make next, or why to stop: the rule of docs/advise.md over all students and arms of a plan.

A pilot first. Then, for each student, one more paired seed of all arms that can still win, at the size that tells most
for its price, until who wins at the user's size is settled, the boundary around that size is known within a factor of
2, the budget is spent, or nothing is left. A pure function of what is stored, so that a sweep that was killed goes on
as it would have. It makes no runs and measures no prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from azeotrope.boundaries.boundary import PRACTICAL, main_direction
from azeotrope.boundaries.crossings import log_grid, sign_changes
from azeotrope.boundaries.next_runs import settle_crossing
from azeotrope.boundaries.standing import AXIS, Contest, contest
from azeotrope.curves.cells import joint_cells
from azeotrope.curves.joint_draws import DRAWS
from azeotrope.planning.candidates import Candidate, Group, groups, next_seeds, pilot, price, unmade
from azeotrope.planning.question import Dropped, Judge, Question, open_rivals, question
from azeotrope.planning.settled import Pairs
from azeotrope.record.run import RunRecord
from azeotrope.tables.frame import RunFrame
from azeotrope.tables.grouping import finished

Stop = Literal["settled", "boundary_narrow", "budget", "nothing_left"]


@dataclass(frozen=True)
class Step:
    """The next runs, in the order in which to make them, those of one size and seed together; or why to stop.

    `runs` empty and `stop` None: wait for what is running. `questions`: one a student, to be shown while it firms up.
    `unpaid` are the runs that it would make next and that do not fit in the budget.
    """

    runs: tuple[Candidate, ...]
    stop: Stop | None
    reason: str
    questions: tuple[Question, ...]
    unpaid: tuple[Candidate, ...] = ()

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """Arms that get no more runs, with the evidence."""
        return tuple(item for question in self.questions for item in question.dropped)


@dataclass(frozen=True)
class _Wish:
    """What one student would run: the first group that can be paid, or (`every`) all that can, in this order."""

    question: Question
    groups: tuple[Group, ...] = ()
    every: bool = False


def next_step(
    records: Sequence[RunRecord],
    candidates: Sequence[Candidate],
    *,
    at: float,
    running: Sequence[Candidate] = (),
    budget_left: float | None = None,
    practical: float = PRACTICAL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Step:
    """The next runs of a sweep whose question is who wins at `at` images.

    `records` are the runs of the plan so far, failed ones too; `candidates` all runs of the plan, of which those with a
    record count as made; `running` those under way. `budget_left` is in the unit of the prices; None: unlimited. Equal
    input gives equal output. Raises InputError when the records do not belong together.
    """

    def judge(curves: Sequence[RunFrame]) -> Contest:
        return contest(curves, at, practical=practical, draws=draws, seed=seed)

    busy = {run.key for run in running}
    left = unmade(candidates, records)
    wishes = [_wish(student, records, candidates, left, busy, judge, practical) for student in _students(candidates)]
    questions = tuple(wish.question for wish in wishes)
    runs, unpaid = _affordable(wishes, budget_left)
    if runs:
        said = "; ".join(f"{question.student}: {question.said}" for question in questions)
        return Step(tuple(runs), None, said, questions, tuple(unpaid))
    stop, reason = _ended(wishes, waiting=bool(busy))
    return Step((), stop, reason, questions, tuple(unpaid))


def _students(candidates: Sequence[Candidate]) -> list[str]:
    return list(dict.fromkeys(run.student for run in candidates))


def _wish(
    student: str,
    records: Sequence[RunRecord],
    candidates: Sequence[Candidate],
    left: Sequence[Candidate],
    busy: set[tuple[str, str, int, int]],
    judge: Judge,
    practical: float,
) -> _Wish:
    """One student: finish its pilot, then ask what would settle its question."""
    first = pilot([run for run in candidates if run.student == student])
    mine = [run for run in left if run.student == student]
    unfinished = [run for run in mine if run.key in first]
    free = [run for run in mine if run.key not in busy]
    if unfinished:
        said = f"pilot, {len(unfinished)} run{'s' * (len(unfinished) > 1)} left"
        return _Wish(
            Question(student, "pilot", said), tuple(groups(run for run in free if run.key in first)), every=True
        )
    curves = finished([run for run in records if run.student.name == student])
    if len(curves) < 2:
        return _Wish(
            Question(student, "no_choice", "too few runs to judge: a law needs three sizes, and a choice two arms"),
            tuple(groups(free)),
            every=True,
        )
    asked = question(student, curves, judge, practical)
    if asked.state != "open" or asked.judged is None:
        return _Wish(asked)
    if asked.doubt is not None and (more := _another_seed(asked.judged, asked.doubt, free)):
        return _Wish(asked, (more,))
    return _Wish(asked, _ranked(asked.judged, curves, free))


def _another_seed(judged: Contest, doubt: Pairs, free: Sequence[Candidate]) -> Group | None:
    """One more seed of all arms left, at the size where the seeds are in doubt; None where the plan holds none."""
    possible = next_seeds(free, judged.cells.arms)
    return possible.get(round(doubt.size)) if doubt.size is not None else None


def _ranked(judged: Contest, curves: dict[str, RunFrame], free: Sequence[Candidate]) -> tuple[Group, ...]:
    """Groups of all contenders left, by what they tell about the leader and its closest unsettled rival."""
    possible = next_seeds(free, judged.cells.arms)
    if not possible:
        return ()
    rivals = open_rivals(judged) or judged.rivals
    names = (judged.leader.name, rivals[0].name)
    cells = joint_cells([curves[name] for name in names], AXIS)
    draws = judged.draws.only([judged.cells.arms.index(name) for name in names])
    grid = log_grid(cells.sizes)
    ahead, behind = draws.errors(grid)
    changes = sign_changes(behind - ahead, grid)
    sizes = np.array(sorted(possible), dtype=float)
    ranked = settle_crossing(
        cells,
        draws,
        changes,
        main_direction(changes),
        price=lambda size: price(possible[int(size)]),
        at=judged.at,
        sizes=sizes,
    )
    return tuple(possible[int(run.size)] for run in ranked)


def _affordable(wishes: Sequence[_Wish], budget_left: float | None) -> tuple[list[Candidate], list[Candidate]]:
    """What to make, and what is wanted too and cannot be paid.

    Students take turns in the order of the plan, each with what is left of the budget after those before it. A later
    seed of a size waits for an earlier one: the first seed chooses learning rates for all.
    """
    left = np.inf if budget_left is None else budget_left
    runs: list[Candidate] = []
    unpaid: list[Candidate] = []
    for wish in wishes:
        waiting: set[int] = set()
        dear: list[Group] = []
        for group in wish.groups:
            size = group[0].train_images
            if price(group) > left or size in waiting:
                waiting.add(size)
                dear.append(group)
                continue
            left -= price(group)
            runs += group
            if not wish.every:
                dear = []
                break
        unpaid += [run for group in (dear if wish.every else dear[:1]) for run in group]
    return runs, unpaid


def _ended(wishes: Sequence[_Wish], *, waiting: bool) -> tuple[Stop | None, str]:
    said = "; ".join(f"{wish.question.student}: {wish.question.said}" for wish in wishes)
    states = {wish.question.state for wish in wishes}
    if states <= {"settled"}:
        return "settled", said
    if states <= {"settled", "boundary_narrow"}:
        return "boundary_narrow", said
    if waiting:
        return None, said
    if any(wish.groups for wish in wishes):
        return "budget", f"{said}; the next paired runs do not fit in the budget"
    return "nothing_left", f"{said}; every run of the plan is made"
