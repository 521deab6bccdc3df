"""A comparison with its diagnosis, from the answers that its runs left in the store."""

from __future__ import annotations

from pathlib import Path

from azeotrope.diagnosis.diagnose import diagnose
from azeotrope.reporting.numbers import Comparison
from azeotrope.reporting.verdict_words import leading


def diagnosed(runs: str | Path, comparison: Comparison) -> Comparison:
    """The comparison with what each arm gets right and wrong; as it is where the store holds no answers.

    Class by class the two arms of its first verdict are compared: the winner and the reference, or its best rival.
    """
    arms = {arm.name: comparison.runs_of(arm) for arm in comparison.arms}
    first = leading(comparison)
    pair = (first.a, first.b) if first else None
    found = diagnose(runs, arms, comparison.kind, comparison.classes, pair)
    return comparison.model_copy(update={"diagnosis": found})
