"""Verdicts and the choice of an arm in plain sentences: which verdict to read first, what it rests on, what to do.

Numbers become text in `words.py`; nothing is decided here that the comparison does not hold.
"""

from __future__ import annotations

from azeotrope.record.kinds import words_of
from azeotrope.reporting.numbers import Comparison, VerdictSummary
from azeotrope.reporting.words import error_word, metrics, percent, percent_interval, plural, points_interval
from azeotrope.verdicts.more_seeds import MOST
from azeotrope.verdicts.verdict import FEWEST_SEEDS


def sentence(verdict: VerdictSummary, comparison: Comparison) -> str:
    """The verdict in plain words, with its interval and what it rests on."""
    basis = _rests_on(verdict, comparison)
    if verdict.difference is None:
        return f"{verdict.a} and {verdict.b} cannot be compared: {verdict.reason or 'no paired runs'}"
    gap = points_interval(verdict.difference.negated())
    if verdict.verdict == "BEATS":
        return f"{verdict.a} beats {verdict.b} by {gap} ({basis}){among(verdict, comparison)}"
    if verdict.verdict == "DOES NOT BEAT":
        return f"{verdict.a} does not beat {verdict.b}: gain {gap} ({basis}){among(verdict, comparison)}"
    return f"{verdict.a} against {verdict.b} is inconclusive: gain {gap} ({basis}){settled_by(verdict)}"


def among(verdict: VerdictSummary, comparison: Comparison) -> str:
    """What is left of a call when all verdicts of its size are to be right together; empty for a lone one."""
    judged = sum(item.p is not None for item in comparison.verdicts)
    if judged < 2 or verdict.p_page is None or verdict.verdict == "INCONCLUSIVE":
        return ""
    if verdict.page_verdict == verdict.verdict:
        return f"; holds among all {judged} verdicts too"
    return f"; alone, not among all {judged} verdicts (p = {verdict.p_page:.2f})"


def settled_by(verdict: VerdictSummary) -> str:
    """How many seeds would probably settle it; empty below three, where the spread is a guess, over folds, where images
    are what lacks, and if nobody asked.
    """
    if verdict.folds or len(verdict.seeds) < FEWEST_SEEDS or verdict.p is None:
        return ""
    if verdict.seeds_needed is None:
        return f"; not even {MOST} seeds would probably settle it"
    return f"; {verdict.seeds_needed} seeds in all would probably settle it"


def _rests_on(verdict: VerdictSummary, comparison: Comparison) -> str:
    """What the interval counts: seeds, and test images where the error is a mean over them."""
    interval = verdict.difference is not None and verdict.difference.known
    level = f"{100 * verdict.level:.3g} %, " if interval else ""
    seeds = level + _trainings(verdict)
    if not words_of(comparison.measure).sampled:
        return f"{seeds}; the sampling of test images is not counted"
    return seeds + (f", {comparison.test_images:,} test images" if comparison.test_images else "")


def _trainings(verdict: VerdictSummary) -> str:
    seeds = plural(len(verdict.seeds), "paired seed")
    return f"{seeds} of each of {verdict.folds} folds" if verdict.folds else seeds


def unsettled(verdict: VerdictSummary) -> str:
    """Why a verdict is inconclusive, in words that do not depend on who is subtracted from whom."""
    if len(verdict.seeds) * (verdict.folds or 1) < FEWEST_SEEDS:
        verb = "is" if len(verdict.seeds) == 1 else "are"
        return f"there {verb} {_trainings(verdict)}, and a verdict needs {FEWEST_SEEDS}"
    return "the interval of the gain contains zero" + settled_by(verdict)


def headline(comparison: Comparison) -> str:
    """The one verdict to read first, as a sentence without its full stop."""
    verdict = leading(comparison)
    if verdict is not None:
        return sentence(verdict, comparison)
    if comparison.winner is None and lowest(comparison) is None:
        return "No arm finished, so there is nothing to compare"
    if comparison.winner is None:
        return f"{lowest(comparison)} is the only arm of this size, so there is nothing to compare it with"
    return f"{comparison.winner} is the only arm that finished, so there is nothing to compare it with"


def leading(comparison: Comparison) -> VerdictSummary | None:
    """The verdict to read first: the winner against the reference, or its best rival when the reference won.

    Without validation errors nobody won: then that of the arm with the lowest test error, or of the arm nearest to it.
    """
    if comparison.winner is None:
        first = lowest(comparison)
        others = [item for item in comparison.verdicts if first in (item.a, item.b)]
        return min(others, key=lambda item: abs(item.difference.value) if item.difference else 1.0, default=None)
    rival = best_rival(comparison)
    if rival is None:
        return None
    return comparison.verdict(comparison.winner, rival) or comparison.verdict(rival, comparison.winner)


def lowest(comparison: Comparison) -> str | None:
    """The arm with the lowest mean test error, to be named and not to be chosen by; None when no arm finished."""
    errors = {arm.name: arm.test_error.value for arm in comparison.arms if arm.test_error is not None}
    return min(errors, key=lambda name: errors[name]) if errors else None


def best_rival(comparison: Comparison) -> str | None:
    """The reference; when the reference itself won, the arm that came second on validation."""
    errors = {
        arm.name: arm.val_error
        for arm in comparison.arms
        if arm.val_error is not None and arm.name != comparison.winner
    }
    if comparison.reference in errors:
        return comparison.reference
    return min(errors, key=lambda name: errors[name]) if errors else None


def choice(comparison: Comparison) -> str:
    """What to do, and why that arm: validation chose it."""
    first = lowest(comparison)
    if comparison.winner is None and first is not None:
        found = percent_interval(comparison.arm(first).test_error)
        return f"Lowest test error: {first}, {found}. It was not chosen on validation, so it may be a little lucky."
    if comparison.winner is None:
        return "Every run failed; the reasons are listed below."
    arm = comparison.arm(comparison.winner)
    error, further = error_word(comparison), metrics(arm, comparison)
    better = beaten_by(comparison)
    do = "Use" if better is None else "Validation chose"
    doubt = "" if better is None else f" The test images favour {better}: more seeds or validation images would decide."
    return (
        f"{do} {arm.name}: lowest {error} on validation ({percent(arm.val_error)}); "
        f"on the test images its {error} is {percent_interval(arm.test_error)}{f' ({further})' if further else ''}."
        f"{doubt}{always_naming(comparison)}"
    )


def beaten_by(comparison: Comparison) -> str | None:
    """The arm that beats the chosen one on the test images, where the first verdict says so; else None."""
    verdict = leading(comparison)
    if verdict is None or comparison.winner is None or verdict.verdict == "INCONCLUSIVE":
        return None
    better = verdict.a if verdict.verdict == "BEATS" else verdict.b
    return None if better == comparison.winner else better


def always_naming(comparison: Comparison) -> str:
    """A sentence on what an answer that looks at nothing scores, with a space before; empty where that is not known."""
    name, error = comparison.common_class, comparison.common_error
    if name is None or error is None:
        return ""
    scores = "is wrong on" if comparison.measure == comparison.kind else f"has a {error_word(comparison)} of"
    return f" Always naming {name!r} {scores} {percent(error)}."
