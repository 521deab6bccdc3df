"""Which runs of a sweep to make next, or why to stop: the rule of METHOD 7 over all students and arms of a plan.

A pilot first. Then, for each student, one more paired seed of all arms that can still win, at the size that tells most
for its price, until who wins at the user's size is settled, the boundary around that size is known within a factor of
2, the budget is spent, or nothing is left. A pure function of what is stored, so that a sweep that was killed goes on
as it would have. It makes no runs and measures no prices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from azeotrope.boundaries.boundary import PRACTICAL, main_direction
from azeotrope.boundaries.crossings import log_grid, sign_changes
from azeotrope.boundaries.next_runs import settle_crossing
from azeotrope.boundaries.standing import AXIS, Contest, Standing, contest
from azeotrope.curves.joint_cells import joint_cells
from azeotrope.curves.joint_draws import DRAWS
from azeotrope.planning.candidates import Candidate, Group, groups, next_seeds, pilot, price, unmade
from azeotrope.record.run import RunRecord
from azeotrope.tables.frame import RunFrame
from azeotrope.tables.grouping import finished

SURE = 0.95
"""Settled: with this probability no rival's error is lower than the leader's by the practical difference or more.

The rule by which `choice` recommends. Asking that the leader be *lower* with 95 % would spend the whole budget on arms
that differ by less than anybody cares about."""
HOPELESS = 0.01
"""An arm is dropped when its error is lower than the leader's with no more than this probability."""
NARROW = 2.0
"""A boundary known within this factor needs no more runs (METHOD 7)."""
Stop = Literal["settled", "boundary_narrow", "budget", "nothing_left"]
State = Literal["pilot", "open", "settled", "boundary_narrow", "no_choice"]


@dataclass(frozen=True)
class Dropped:
    """An arm that gets no more runs, and the evidence: how it stands against `leader` at `at` images."""

    student: str
    leader: str
    at: float
    standing: Standing

    @property
    def name(self) -> str:
        """The contender that was dropped."""
        return self.standing.name

    @property
    def reason(self) -> str:
        """The evidence in one sentence."""
        behind = self.standing.behind
        return (
            f"{self.name} is {100 * behind.value:.1f} points ({100 * behind.low:.1f} to {100 * behind.high:.1f}) "
            f"behind {self.leader} at {self.at:,.0f} images; after {self.standing.runs} runs the probability that it "
            f"is ahead is {self.standing.p_win:.3f}"
        )


@dataclass(frozen=True)
class Question:
    """Where one student's decision stands, `said` in a sentence. `judged` is None until two arms have three sizes."""

    student: str
    state: State
    said: str
    judged: Contest | None = None
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True)
class Step:
    """The next runs, in the order in which to make them, those of one size and seed together; or why to stop.

    `runs` empty and `stop` None: wait for what is running. `questions`: one a student, to be shown while it firms up.
    """

    runs: tuple[Candidate, ...]
    stop: Stop | None
    reason: str
    questions: tuple[Question, ...]

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


Judge = Callable[[Sequence[RunFrame]], Contest]


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
    wishes = [_wish(student, records, candidates, left, busy, judge) for student in _students(candidates)]
    questions = tuple(wish.question for wish in wishes)
    runs = _affordable(wishes, budget_left)
    if runs:
        said = "; ".join(f"{question.student}: {question.said}" for question in questions)
        return Step(tuple(runs), None, said, questions)
    stop, reason = _ended(wishes, waiting=bool(busy))
    return Step((), stop, reason, questions)


def _students(candidates: Sequence[Candidate]) -> list[str]:
    return list(dict.fromkeys(run.student for run in candidates))


def _wish(
    student: str,
    records: Sequence[RunRecord],
    candidates: Sequence[Candidate],
    left: Sequence[Candidate],
    busy: set[tuple[str, str, int, int]],
    judge: Judge,
) -> _Wish:
    """One student: finish its pilot, then ask what would settle its question."""
    first = pilot([run for run in candidates if run.student == student])
    mine = [run for run in left if run.student == student]
    unfinished = [run for run in mine if run.key in first]
    free = [run for run in mine if run.key not in busy]
    if unfinished:
        question = Question(student, "pilot", f"pilot, {len(unfinished)} run{'s' * (len(unfinished) > 1)} left")
        return _Wish(question, tuple(groups(run for run in free if run.key in first)), every=True)
    curves = finished([run for run in records if run.student.name == student])
    if len(curves) < 2:
        return _Wish(
            Question(student, "no_choice", "too few runs to judge: a law needs three sizes, and a choice two arms"),
            tuple(groups(free)),
            every=True,
        )
    question = _question(student, curves, judge)
    if question.state != "open" or question.judged is None:
        return _Wish(question)
    return _Wish(question, _ranked(question.judged, curves, free))


def _question(student: str, curves: dict[str, RunFrame], judge: Judge) -> Question:
    """Drop what cannot win, then ask whether the rest is settled."""
    judged = judge(list(curves.values()))
    dropped = tuple(
        Dropped(student, judged.leader.name, judged.at, rival) for rival in judged.rivals if rival.p_win <= HOPELESS
    )
    gone = {item.name for item in dropped}
    if 0 < len(dropped) < len(judged.rivals):
        judged = judge([curve for name, curve in curves.items() if name not in gone])
    open_rivals = _open_rivals(judged)
    if judged.leader.p_near_best >= SURE or not open_rivals:
        return Question(student, "settled", _settled_said(judged), judged, dropped)
    closest = open_rivals[0]
    if all(_narrow(rival) for rival in open_rivals):
        return Question(student, "boundary_narrow", _narrow_said(judged, closest), judged, dropped)
    return Question(student, "open", _open_said(judged, closest), judged, dropped)


def _open_rivals(judged: Contest) -> list[Standing]:
    """Rivals that may be better than the leader, likeliest first."""
    return sorted((rival for rival in judged.rivals if rival.p_win > 1 - SURE), key=lambda rival: -rival.p_win)


def _narrow(rival: Standing) -> bool:
    piece = rival.unsettled
    return piece is not None and piece.low is not None and piece.high is not None and piece.high < NARROW * piece.low


def _ranked(judged: Contest, curves: dict[str, RunFrame], free: Sequence[Candidate]) -> tuple[Group, ...]:
    """Groups of all contenders left, by what they tell about the leader and its closest unsettled rival."""
    possible = next_seeds(free, judged.cells.arms)
    if not possible:
        return ()
    names = (judged.leader.name, _open_rivals(judged)[0].name)
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


def _affordable(wishes: Sequence[_Wish], budget_left: float | None) -> list[Candidate]:
    """Students take turns in the order of the plan, each with what is left of the budget after those before it."""
    left = np.inf if budget_left is None else budget_left
    runs: list[Candidate] = []
    for wish in wishes:
        for group in wish.groups:
            if price(group) <= left:
                left -= price(group)
                runs += group
                if not wish.every:
                    break
    return runs


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


def _settled_said(judged: Contest) -> str:
    if not judged.rivals:
        return f"{judged.leader.name} is the only arm left"
    leader, here = judged.leader, f"at {judged.at:,.0f} images"
    if leader.p_best >= SURE:
        return f"{leader.name} is best {here} with probability {leader.p_best:.2f}"
    return f"{leader.name} is best or practically as good as the best {here} with probability {leader.p_near_best:.2f}"


def _narrow_said(judged: Contest, rival: Standing) -> str:
    piece = rival.unsettled
    assert piece is not None
    return (
        f"{judged.leader.name} and {rival.name} swap places between {piece.low:,.0f} and {piece.high:,.0f} images, "
        f"a factor under {NARROW:g}"
    )


def _open_said(judged: Contest, rival: Standing) -> str:
    return (
        f"{judged.leader.name} leads at {judged.at:,.0f} images; {rival.name} is better with probability "
        f"{rival.p_win:.2f}"
    )
