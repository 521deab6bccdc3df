"""One answer over several numbers of training images, for the top of a page: who wins where, and what is not decided.

It reads the verdicts of `verdict_words.leading` and adds nothing: each is at its own level, as below on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from azeotrope.reporting import verdict_words, words
from azeotrope.reporting.numbers import Comparison, VerdictSummary
from azeotrope.verdicts.verdict import Call


@dataclass(frozen=True)
class Overall:
    """The sentence, and the call by which it is coloured: INCONCLUSIVE where the largest size is."""

    sentence: str
    call: Call


def overall(comparisons: Sequence[Comparison]) -> Overall | None:
    """The answer over these comparisons of one task, student and teacher; None where no size has a verdict."""
    by_size = sorted(comparisons, key=lambda item: item.train_images)
    judged = [(item.train_images, verdict) for item in by_size if (verdict := verdict_words.leading(item)) is not None]
    if not judged:
        return None
    groups: dict[tuple[str, ...], list[tuple[int, VerdictSummary]]] = {}
    for size, verdict in judged:
        groups.setdefault(_outcome(verdict), []).append((size, verdict))
    said = "; ".join(_said(outcome, cells, alone=len(groups) == 1) for outcome, cells in groups.items())
    last = judged[-1][1].verdict
    starts_open = not next(iter(groups))  # an arm's name keeps its small letter
    sentence = f"{said[0].upper()}{said[1:]}." if starts_open else f"{said}."
    return Overall(sentence, "INCONCLUSIVE" if last == "INCONCLUSIVE" else "BEATS")


def _outcome(verdict: VerdictSummary) -> tuple[str, ...]:
    """The better arm, then the other: an interval wholly above zero says that the other one is better. Empty: open."""
    if verdict.verdict == "INCONCLUSIVE":
        return ()
    return (verdict.a, verdict.b) if verdict.verdict == "BEATS" else (verdict.b, verdict.a)


def _said(outcome: tuple[str, ...], cells: Sequence[tuple[int, VerdictSummary]], *, alone: bool) -> str:
    at = f"at {_listed([size for size, _ in cells])} training images"
    if outcome:
        gains = [abs(verdict.difference.value) for _, verdict in cells if verdict.difference]
        return f"{outcome[0]} beats {outcome[1]} {at}, by {_range(gains)}"
    pairs = {frozenset((verdict.a, verdict.b)) for _, verdict in cells}
    between = f" between {cells[-1][1].a} and {cells[-1][1].b}" if alone and len(pairs) == 1 else ""
    return f"these runs do not decide{between} {at}"


def _range(gains: Sequence[float]) -> str:
    low, high = words.points(min(gains)), words.points(max(gains))
    return high if low == high else f"{low.removesuffix(' points')} to {high}"


def _listed(sizes: Sequence[int]) -> str:
    """Like "125, 250 and 500"."""
    shown = [f"{size:,}" for size in sizes]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
