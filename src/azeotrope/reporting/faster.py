"""By how much an arm is faster than pre-training the student and then fine-tuning it, as Farhat & Chen 2024 put it.

All parts are measured or published: seconds of the runs, images a second of these runs or of a trial, and the images
and epochs that the weights' authors name. Where one is missing there is no number, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from azeotrope.record.facts import PublishedFacts
from azeotrope.record.run import RunRecord
from azeotrope.reporting.numbers import ArmSummary, Faster, PretrainingCost

BASELINE = "finetune"
"""The arm that starts from published weights and tunes all of them."""


def faster(
    arms: Sequence[ArmSummary], pretraining: PretrainingCost | None, missing: str | None
) -> tuple[tuple[Faster, ...], str | None]:
    """(every arm that starts without published weights, against pre-training plus fine-tuning; why there is none)."""
    baseline = next((arm for arm in arms if arm.name == BASELINE), None)
    if baseline is None:
        return (), f"{BASELINE} is not among the arms, so there is nothing to compare with"
    if not baseline.seconds:
        return (), f"the arm {BASELINE} was not run to its end, so there is nothing to compare with"
    if pretraining is None:
        return (), missing or "what the student's pre-training took is not known"
    tuned = sum(baseline.seconds.values())
    whole = pretraining.seconds + tuned
    others = [arm for arm in arms if arm.init == "random" and arm.seconds]
    found = tuple(
        Faster(
            arm=arm.name,
            baseline=baseline.name,
            less=1 - sum(arm.seconds.values()) / whole,
            seconds=sum(arm.seconds.values()),
            finetuning_seconds=tuned,
            pretraining_seconds=pretraining.seconds,
        )
        for arm in others
    )
    return found, None if found else "no arm that starts from random weights was run to its end"


def measured_pretraining(runs: Sequence[RunRecord]) -> tuple[PretrainingCost | None, str | None]:
    """(the cost from what runs of one student hold: facts that are published, and their own rate; why there is none).

    The rate is that of training the whole student without a teacher, views rendered, at these runs' image size; it
    stands for the pre-training only where that was of the same size.
    """
    facts = next((run.published for run in runs if run.published is not None), None)
    if facts is None:
        return None, "no run started from published weights"
    if facts.missing is not None or facts.images is None or facts.epochs is None:
        return None, facts.missing
    sizes = {run.student.image_size for run in runs}
    if sizes != {facts.image_size}:
        here = ", ".join(f"{size} px" for size in sizes)
        return (
            None,
            f"the pre-training was at {facts.image_size} px and these runs are at {here}, where another rate holds",
        )
    rates = [rate for run in runs if (rate := run.training_rate) is not None]
    if not rates:
        return None, "no run trained the whole student without a teacher, so its rate is not known"
    return _cost(facts, fmean(rates)), None


def _cost(facts: PublishedFacts, rate: float) -> PretrainingCost:
    assert facts.images is not None
    assert facts.epochs is not None
    return PretrainingCost(
        source=facts.source or "",
        images=facts.images,
        epochs=facts.epochs,
        images_per_second=rate,
        image_size=facts.image_size,
        reference=facts.reference,
    )
