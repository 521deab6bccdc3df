"""What would change the advice: more or fewer images, other limits, another way of paying for the teacher.

Each change is worked out from the same draws as the advice itself; nothing is guessed about what was not run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from azeotrope.advice.answer import Bounds, Change
from azeotrope.advice.choice import Choice, choose
from azeotrope.advice.contender_draws import Judged
from azeotrope.advice.evidence import Contender
from azeotrope.advice.needs.counting import Counting
from azeotrope.advice.needs.limits import Excluded, Needs
from azeotrope.advice.needs.price import cost
from azeotrope.boundaries.boundary import Boundary, Crossing, find_boundary
from azeotrope.boundaries.standing import AXIS
from azeotrope.curves.cells import Floats
from azeotrope.planning.question import HOPELESS
from azeotrope.planning.settled import Pairs, doubtful, pairs
from azeotrope.record.interval import Interval
from azeotrope.record.probability import probability
from azeotrope.tables.units import Unit, amount, ends


@dataclass(frozen=True)
class Case:
    """What the advice was made of: who was eligible, at how many images, and who was chosen or leads (`first`)."""

    judged: Judged
    eligible: tuple[Contender, ...]
    excluded: tuple[Excluded, ...]
    needs: Needs
    at: float
    practical: float
    counted: Counting
    unit: Unit = "fraction"

    def choose(self, at: float, needs: Needs, eligible: Sequence[Contender] | None = None) -> Choice:
        """Choose among the eligible at `at` images."""
        among = self.eligible if eligible is None else eligible
        prices = [paid.seconds.value if (paid := cost(one, at, needs)) else None for one in among]
        errors = self.errors(at, among)
        middle = np.array([self.judged.error(one.name, at).value for one in among])
        return choose(
            errors, middle, prices, self.practical, lambda place: self._doubt(place, at, among, errors) is None
        )

    def doubt(self, place: int) -> Pairs | None:
        """Why the seeds do not bear out the eligible contender of this place; None where they do."""
        return self._doubt(place, self.at, self.eligible, self.errors(self.at, self.eligible))

    def _doubt(self, place: int, at: float, among: Sequence[Contender], errors: Floats) -> Pairs | None:
        """Against every contender that may be better, and against the runner-up where none may."""
        others = [other for other in range(len(among)) if other != place]
        open_ = [other for other in others if (errors[other] < errors[place]).mean() > HOPELESS]
        nearest = sorted(others, key=lambda other: float(np.median(errors[other])))[:1]
        own = among[place]
        against = [
            pairs(own.curve, other.curve, at, self.judged.spread(own.student, other.student))
            for other in (among[one] for one in open_ or nearest)
        ]
        return doubtful(against, self.practical)

    def errors(self, at: float, among: Sequence[Contender]) -> Floats:
        """Errors [K, R] of these contenders."""
        return np.asarray(self.judged.errors(at)[[self.judged.place(one.name) for one in among]])


def changes(case: Case, first: Contender) -> tuple[Change, ...]:
    """Everything known that would lead to another contender than `first`."""
    return (
        *_by_reachable(case, first),
        *_by_size(case, first),
        *_by_limits(case, first),
        *_by_teacher(case, first),
        *_without_hub(case, first),
    )


def _by_reachable(case: Case, first: Contender) -> Iterator[Change]:
    reachable = case.needs.reachable
    if reachable is None or (more := case.counted.train(reachable)) <= case.at:
        return
    choice = case.choose(more, case.needs)
    then = case.eligible[choice.first]
    error = case.judged.error(then.name, more)
    same = "still " if then.name == first.name else ""
    if choice.chosen is None:
        with_more = f"with {reachable:,.0f} {case.counted.noun}"
        said = f"{with_more} these runs do not settle which is best; {then.name} leads there"
    else:
        said = f"with {reachable:,.0f} {case.counted.noun} it would {same}be {then.name}"
    sentence = f"{said}: {_shown(error, case)}"
    yield Change(sentence, then.name, then.run_ids, "images", more=True, images=Bounds(reachable), error=error)


def _by_size(case: Case, first: Contender) -> Iterator[Change]:
    """Where each rival takes over, from the boundary between the two."""
    judged = case.judged
    for rival in case.eligible:
        if rival.name == first.name:
            continue
        places = judged.place(first.name), judged.place(rival.name)
        draws = judged.draws.only(places)
        found = find_boundary(judged.pair(*places), draws, AXIS, at=[case.at], practical=case.practical, unit=case.unit)
        ids = (*first.run_ids, *rival.run_ids)
        for crossing in found.crossings:
            ends_at = (crossing.value, crossing.low, crossing.high)
            bounds = Bounds(*(None if size is None else case.counted.images(size) for size in ends_at))
            more = crossing.direction == "down"
            yield Change(
                _takes_over(crossing, found, case.counted), rival.name, ids, "images", more=more, images=bounds
            )


def _takes_over(crossing: Crossing, found: Boundary, counted: Counting) -> str:
    def size(train: float) -> str:
        return _round(counted.images(train))

    side = "more" if crossing.direction == "down" else "fewer"
    said = f"{found.baseline} takes over from {found.challenger}"
    if crossing.value is not None:
        ends = " to ".join("?" if end is None else size(end) for end in (crossing.low, crossing.high))
        return f"with {side} than about {size(crossing.value)} {counted.noun} ({ends}), {said}"
    if crossing.low is not None:
        return f"with {side} {counted.noun}, somewhere above {size(crossing.low)}, {said}"
    if crossing.high is not None:
        return f"with {side} {counted.noun}, somewhere below {size(crossing.high)}, {said}"
    span = f"{found.smallest:,.0f} to {found.largest:,.0f}"
    return f"with {side} training images than the {span} run, it may be that {said}"


def _by_limits(case: Case, first: Contender) -> Iterator[Change]:
    """Excluded contenders that would probably do better."""
    known = case.judged.cells.arms
    for item in case.excluded:
        if item.contender.name not in known:
            continue
        own, other = case.errors(case.at, [first, item.contender])
        p = float((other < own).mean())
        if p > 0.5:
            error = case.judged.error(item.contender.name, case.at)
            said = (
                f"if {item.need}, {item.contender.name} would reach {_shown(error, case)}, "
                f"better with probability {probability(p)}"
            )
            ids = (*first.run_ids, *item.contender.run_ids)
            yield Change(said, item.contender.name, ids, "limit", error=error, p=p)


def _by_teacher(case: Case, first: Contender) -> Iterator[Change]:
    """The price decides among contenders that are practically equal; it depends on who pays for the teacher."""
    paid = not case.needs.teacher_exists
    other = replace(case.needs, teacher_exists=paid, students_sharing=1 if paid else case.needs.students_sharing)
    choice = case.choose(case.at, other)
    then = case.eligible[choice.first]
    if choice.chosen is not None and then.name != first.name:
        said = "were already paid for" if other.teacher_exists else "had to be paid for"
        yield Change(
            f"if the teacher's pass {said}, {then.name} would be as good and cheaper",
            then.name,
            (*first.run_ids, *then.run_ids),
            "teacher_price",
        )


def _without_hub(case: Case, first: Contender) -> Iterator[Change]:
    own = [one for one in case.eligible if one.init != "hub"]
    if first.init != "hub" or not own:
        return
    choice = case.choose(case.at, case.needs, own)
    then = own[choice.first]
    error = case.judged.error(then.name, case.at)
    said = f"without published weights it would be {then.name}: {_shown(error, case)}"
    yield Change(said, then.name, then.run_ids, "published_weights", error=error)


def _shown(error: Interval, case: Case) -> str:
    return f"{amount(error.value, case.unit)} ({ends(error.low, error.high, case.unit)})"


def _round(size: float) -> str:
    return f"{float(f'{size:.2g}'):,.0f}"
