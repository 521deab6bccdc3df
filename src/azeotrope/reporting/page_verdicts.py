"""The verdicts that a page shows at one size: which pairs of arms it asks about, and how a verdict is held.

They are made by `verdicts/page.py`; of which runs is decided in `summary` and `deployed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from azeotrope.record.folds import pooled
from azeotrope.record.interval import Interval
from azeotrope.record.run import RunRecord
from azeotrope.reporting.numbers import Estimate, VerdictSummary
from azeotrope.verdicts.differences import Differences, of_records
from azeotrope.verdicts.moderated import Common
from azeotrope.verdicts.page import PageVerdict, all_pairs, common_of, judged


@dataclass(frozen=True)
class Shared:
    """The common variance of the comparisons of a page, over all its sizes: of the networks, and by export target of
    their files; None where there is one pair.
    """

    networks: Common | None = None
    files: Mapping[str, Common | None] = field(default_factory=dict)


ALONE = Shared()  # of a size by itself


def shared_by(sizes: Iterable[Sequence[RunRecord]]) -> Shared:
    """What the comparisons of a page share, one of these at each size."""
    done = [[run for run in pooled(runs) if run.state == "done"] for runs in sizes]
    targets = dict.fromkeys(target for runs in done for run in runs for target in run.deployed)
    return Shared(
        common_of(pairs_of(runs) for runs in done),
        {target: common_of(pairs_of(files_of(runs, target)) for runs in done) for target in targets},
    )


def files_of(runs: Sequence[RunRecord], target: str) -> list[RunRecord]:
    """Those of these runs that have a file of this target, judged by it."""
    return [file for run in runs if (file := run.as_deployed(target)) is not None]


def pairs_of(done: Sequence[RunRecord]) -> list[Differences]:
    """The differences of every two arms of finished runs of one size."""
    return all_pairs(
        {name: [run for run in done if run.arm == name] for name in dict.fromkeys(run.arm for run in done)}
    )


def verdicts(
    runs: Sequence[RunRecord], reference: str, winner: str | None, shared: Common | None, level: float
) -> Iterable[VerdictSummary]:
    """Every arm against the reference, then the winner against every other arm; a pair is judged once."""
    by_arm = {name: [run for run in runs if run.arm == name] for name in dict.fromkeys(run.arm for run in runs)}
    asked = [of_records(by_arm[a], by_arm[b]) for a, b in asked_pairs(list(by_arm), reference, winner)]
    return [shown(one, level) for one in judged(asked, shared or common_of([pairs_of(runs)]), level)]


def asked_pairs(names: Sequence[str], reference: str, winner: str | None) -> list[tuple[str, str]]:
    """The pairs that a page judges."""
    pairs = [(name, reference) for name in names if name != reference and reference in names]
    return pairs + [
        (winner, name) for name in names if winner and name not in (winner, reference) and winner != reference
    ]


def shown(made: PageVerdict, level: float) -> VerdictSummary:
    """A verdict as the page holds it."""
    alone = made.alone
    return VerdictSummary(
        a=alone.a,
        b=alone.b,
        verdict=alone.verdict,
        difference=estimate(alone.difference),
        seeds=alone.seeds,
        folds=alone.folds,
        reason=alone.reason,
        level=level,
        p=alone.p,
        p_page=made.p_page,
        page_verdict=made.page_call,
        seeds_needed=alone.seeds_needed,
    )


def estimate(interval: Interval | None) -> Estimate | None:
    """An interval as the page holds it."""
    return None if interval is None else Estimate(value=interval.value, low=interval.low, high=interval.high)
