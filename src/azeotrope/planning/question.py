"""Where the decision between the arms of one student stands: which arms cannot win, and whether the rest is settled.

It looks at what is made. Which runs to make next is `adaptive`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from azeotrope.boundaries.standing import Contest, Standing
from azeotrope.planning.settled import SURE, Pairs, doubtful, pairs, spread_of
from azeotrope.tables.frame import RunFrame

HOPELESS = 0.01
"""An arm is dropped when its error is lower than the leader's with no more than this probability."""
NARROW = 2.0
"""A boundary known within this factor needs no more runs."""

State = Literal["pilot", "open", "settled", "boundary_narrow", "no_choice"]
Judge = Callable[[Sequence[RunFrame]], Contest]


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
    """Where one student's decision stands, `said` in a sentence. `judged` is None until two arms have three sizes.

    `doubt`: the seeds that do not bear out what the laws take for settled.
    """

    student: str
    state: State
    said: str
    judged: Contest | None = None
    dropped: tuple[Dropped, ...] = ()
    doubt: Pairs | None = None


def question(student: str, curves: dict[str, RunFrame], judge: Judge, practical: float) -> Question:
    """Drop what cannot win, then ask whether the rest is settled."""
    judged = judge(list(curves.values()))
    dropped = tuple(
        Dropped(student, judged.leader.name, judged.at, rival) for rival in judged.rivals if rival.p_win <= HOPELESS
    )
    gone = {item.name for item in dropped}
    if 0 < len(dropped) < len(judged.rivals):
        judged = judge([curve for name, curve in curves.items() if name not in gone])
    rivals = open_rivals(judged)
    spread = spread_of(list(curves.values()))
    against = [pairs(curves[judged.leader.name], curves[rival.name], judged.at, spread) for rival in judged.rivals]
    state: State = "open"
    if judged.leader.p_near_best >= SURE or not rivals:
        state, said = "settled", _settled_said(judged)
    elif all(_narrow(rival) for rival in rivals):
        state, said = "boundary_narrow", _narrow_said(judged, rivals[0])
    else:
        return Question(student, state, _open_said(judged, rivals[0]), judged, dropped)
    doubt = doubtful(against, practical if state == "settled" else 1.0)
    if doubt is None:
        return Question(student, state, f"{said}{_seeds_said(against)}", judged, dropped)
    return Question(student, "open", f"{said} by the laws, but {doubt.said}", judged, dropped, doubt)


def open_rivals(judged: Contest) -> list[Standing]:
    """Rivals that may be better than the leader, likeliest first."""
    return sorted((rival for rival in judged.rivals if rival.p_win > 1 - SURE), key=lambda rival: -rival.p_win)


def _narrow(rival: Standing) -> bool:
    piece = rival.unsettled
    return piece is not None and piece.low is not None and piece.high is not None and piece.high < NARROW * piece.low


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


def _seeds_said(against: Sequence[Pairs]) -> str:
    """The verdict on the leader and the nearest rival, as `compare` has it: it may leave open what the laws settle."""
    nearest = against[0] if against else None
    if nearest is None or nearest.verdict is None:
        return ""
    call = nearest.verdict.verdict
    return f"; {nearest.seeds} paired seeds alone, at {nearest.size:,.0f}, against {nearest.second}: {call}"


def _open_said(judged: Contest, rival: Standing) -> str:
    return (
        f"{judged.leader.name} leads at {judged.at:,.0f} images; {rival.name} is better with probability "
        f"{rival.p_win:.2f}"
    )
