"""All verdicts of a page together: one common variance over its pairs and sizes, and the page-wise error.

Each verdict alone is wrong in 5 % of equal pairs. Holm's procedure (1979) holds the probability of any wrong call among
the verdicts of one size at 5 %; both are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from azeotrope.record.run import RunRecord
from azeotrope.verdicts.differences import Differences, of_records
from azeotrope.verdicts.moderated import Common, common
from azeotrope.verdicts.verdict import FEWEST_SEEDS, LEVEL, Call, Verdict, call_of, judge


@dataclass(frozen=True)
class PageVerdict:
    """A verdict and what is left of it among the others of its size: `p_page` is Holm's, `page_call` the call at it."""

    alone: Verdict
    p_page: float | None
    page_call: Call


def common_of(sizes: Iterable[Sequence[Differences]]) -> Common | None:
    """The common variance of the pairs of several sizes, all pairs of arms at each; None where there is one pair.

    Raises nothing: pairs without two seeds take no part.
    """
    spreads, most = [], 0.0
    for pairs in sizes:
        here = [(pair, pair.spread) for pair in pairs if pair.spread is not None]
        spreads += [spread for _, spread in here if spread is not None]
        arms = {name for pair, _ in here for name in (pair.a, pair.b)}
        most += max(0, len(arms) - 1) * max((len(pair.seeds) - 1 for pair, _ in here), default=0)
    return common(spreads, most)


def all_pairs(by_arm: Mapping[str, Sequence[RunRecord]]) -> list[Differences]:
    """The differences of every two arms of one size."""
    return [of_records(by_arm[a], by_arm[b]) for a, b in combinations(by_arm, 2)]


def judged(pairs: Sequence[Differences], shared: Common | None, level: float = LEVEL) -> list[PageVerdict]:
    """The verdicts on these pairs of one size, each alone and with the page-wise error."""
    alone = [judge(pair, shared, level) for pair in pairs]
    adjusted = holm([one.p if one.trainings >= FEWEST_SEEDS else None for one in alone])
    return [
        PageVerdict(one, p, one.verdict if p is None else call_of(_value(one), p, one.trainings, level))
        for one, p in zip(alone, adjusted, strict=True)
    ]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values; None stays None and counts for nothing."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        found[place] = highest
    return found


def _value(one: Verdict) -> float:
    return one.difference.value if one.difference else 0.0
