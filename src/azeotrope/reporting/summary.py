"""From runs to the numbers that a comparison shows: means, intervals, shared cost, the winner, who meets whom.

Verdicts themselves are made by `verdicts/page.py`; how things look is decided elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from pydantic import JsonValue

from azeotrope.record.interval import Interval
from azeotrope.record.run import RunRecord
from azeotrope.reporting.faster import faster, measured_pretraining
from azeotrope.reporting.numbers import (
    ArmSummary,
    Comparison,
    Estimate,
    FailedRun,
    NotTested,
    PretrainingCost,
    TeacherSummary,
    VerdictSummary,
)
from azeotrope.reporting.side_by_side import check_side_by_side, warnings_of
from azeotrope.verdicts.differences import Differences, of_records
from azeotrope.verdicts.moderated import Common
from azeotrope.verdicts.page import PageVerdict, all_pairs, common_of, judged
from azeotrope.verdicts.stopping import level_of
from azeotrope.verdicts.verdict import arm_error

STRATEGIES = ("scratch", "linear_probe", "finetune", "distill")
"""The order in which arms are shown; a stranger's strategy comes after these."""
SHARED_PHASES = ("tune_teacher", "teacher", "head", "generate", "pretrain")
"""Work that runs of one seed and size do once and share: the teacher's pass, its head, pictures and pre-training made
here."""


def summarise(
    records: Iterable[RunRecord],
    *,
    reference: str = "scratch",
    not_tested: Sequence[NotTested] = (),
    pretraining: PretrainingCost | None = None,
    pretraining_missing: str | None = None,
    warnings: Sequence[str] = (),
    plan: dict[str, JsonValue] | None = None,
    shared: Common | None = None,
    looks: Sequence[int] = (),
) -> Comparison:
    """The comparison that these runs make: one task, size, student and teacher, and one run for each arm and seed.

    `pretraining`, measured apart, or why it could not be, comes in the place of what the runs themselves say of it.
    `reference` is the arm the others are judged against; where it was not run, the first arm is. `shared` is the common
    variance of all sizes of a page (`shared_by`); without it, that of this size. `looks`: the numbers of seeds at which
    somebody looked, where seeds were added until decided. Raises InputError when there are no runs or when they do not
    belong side by side.
    """
    runs = sorted(records, key=shown_order)
    check_side_by_side(runs)
    done = [run for run in runs if run.state == "done"]
    names = list(dict.fromkeys(run.arm for run in runs))
    amortised = {run.run_id: seconds for run, seconds in zip(done, amortise(done), strict=True)}
    arms = tuple(_arm([run for run in runs if run.arm == name], amortised) for name in names)
    reference = reference if reference in names else names[0]
    winner = _winner(arms)
    if pretraining is None and pretraining_missing is None:
        pretraining, pretraining_missing = measured_pretraining(done)
    compared, not_compared = faster(arms, pretraining, pretraining_missing)
    facts = (done or runs)[0]
    return Comparison(
        task=facts.task.name,
        fingerprint=facts.task.fingerprint,
        classes=facts.task.classes,
        kind=facts.task.kind,
        unit=facts.task.unit,
        common_class=facts.task.common_class,
        common_error=facts.task.common_error,
        train_images=facts.train_images,
        val_images=facts.val_images,
        test_images=facts.test_images,
        student=facts.student.name,
        parameters=facts.student.parameters,
        macs=facts.student.macs,
        image_size=facts.student.image_size,
        teacher=_teacher(runs),
        reference=reference,
        winner=winner,
        arms=arms,
        verdicts=tuple(_verdicts(done, reference, winner, shared, level_of(looks))),
        looks=tuple(looks),
        failed=tuple(
            FailedRun(run_id=run.run_id, arm=run.arm, seed=run.seed, reason=run.reason or "no reason was recorded")
            for run in runs
            if run.state == "failed"
        ),
        not_tested=tuple(not_tested),
        pretraining=pretraining,
        faster=compared,
        faster_missing=not_compared,
        warnings=tuple(dict.fromkeys((*warnings, *warnings_of(done, arms)))),
        recipe=facts.recipe,
        environment=facts.environment,
        plan=plan,
    )


def shown_order(run: RunRecord) -> tuple[int, str, int, str, int]:
    """Where a run stands on the page: by strategy, arm, images it was pre-trained on here, and seed."""
    place = STRATEGIES.index(run.strategy) if run.strategy in STRATEGIES else len(STRATEGIES)
    return place, run.arm.partition(", pre-trained on ")[0], run.pretrain_images, run.arm, run.seed


def amortise(runs: Sequence[RunRecord]) -> list[dict[str, float]]:
    """Seconds by phase of each run when shared work is divided.

    Every record states what its run would pay alone. Runs of one size and seed that went through a phase of
    `SHARED_PHASES` share one pass, which costs the mean of what they state; each of the k runs is charged 1/k of it.
    """
    stated: dict[tuple[int, int, str, int], list[float]] = {}
    for run in runs:
        for phase in SHARED_PHASES:
            if run.seconds.get(phase, 0) > 0:
                stated.setdefault(_pass(run, phase), []).append(run.seconds[phase])
    share = {key: fmean(seconds) / len(seconds) for key, seconds in stated.items()}
    return [{phase: share.get(_pass(run, phase), spent) for phase, spent in run.seconds.items()} for run in runs]


def _pass(run: RunRecord, phase: str) -> tuple[int, int, str, int]:
    """What runs that share a phase have in common; pre-training on more images is another one."""
    return run.train_images, run.seed, phase, run.pretrain_images if phase == "pretrain" else 0


def _arm(runs: Sequence[RunRecord], amortised: dict[str, dict[str, float]]) -> ArmSummary:
    done = [run for run in runs if run.state == "done"]
    errors = {run.seed: run.test_error for run in done if run.test_error is not None}
    validation = [run.val_error for run in done if run.val_error is not None]
    flops = [run.flops for run in done if run.flops is not None]
    measured = [name for name in (done[0].metrics if done else ()) if all(name in run.metrics for run in done)]
    return ArmSummary(
        name=runs[0].arm,
        strategy=runs[0].strategy,
        init=runs[0].init,
        losses=(done or runs)[0].losses,  # a run that failed may not have come to choose them
        search=done[0].search if done else None,
        test_error=_estimate(arm_error(done)) if done else None,
        val_error=fmean(validation) if validation else None,
        metrics=_means([{name: run.metrics[name] for name in measured} for run in done]),
        seeds=tuple(run.seed for run in done),
        seed_errors=errors,
        seconds=_means([run.seconds for run in done]),
        seconds_amortised=_means([amortised[run.run_id] for run in done]),
        joules=_means([run.joules for run in done]) if all(_metered(run) for run in done) else {},
        flops=fmean(flops) if flops else None,
        pretrained=runs[0].init == "hub",
        run_ids=tuple(run.run_id for run in done),
    )


def _metered(run: RunRecord) -> bool:
    """Whether the energy is known of every phase that took time: a sum over a part would look small."""
    return bool(run.joules) and {phase for phase, spent in run.seconds.items() if spent > 0} <= run.joules.keys()


def _means(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """By name: seconds by phase, where a phase that a run did not have took it no time, or measures that all have."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: fmean(run.get(name, 0.0) for run in runs) for name in names}


def _winner(arms: Sequence[ArmSummary]) -> str | None:
    """Lowest mean validation error; equal errors go to the arm of fewer FLOPs (not known: last), then by name. Measured
    seconds do not decide, so that a repeat names the same winner. An arm that lost a seed to a failure cannot win
    against arms that did not: its mean is over easier or harder seeds, nobody knows which.
    """
    finished = [arm for arm in arms if arm.val_error is not None]
    most = max((len(arm.seeds) for arm in finished), default=0)
    ranks = [
        (arm.val_error, math.inf if arm.flops is None else arm.flops, arm.name)
        for arm in finished
        if len(arm.seeds) == most
    ]
    return min(ranks)[-1] if ranks else None


def shared_by(sizes: Iterable[Sequence[RunRecord]]) -> Common | None:
    """The common variance of the comparisons of a page, one of these at each size; None where there is one pair."""
    return common_of(_pairs([run for run in runs if run.state == "done"]) for runs in sizes)


def _pairs(done: Sequence[RunRecord]) -> list[Differences]:
    return all_pairs(
        {name: [run for run in done if run.arm == name] for name in dict.fromkeys(run.arm for run in done)}
    )


def _verdicts(
    runs: Sequence[RunRecord], reference: str, winner: str | None, shared: Common | None, level: float
) -> Iterable[VerdictSummary]:
    """Every arm against the reference, then the winner against every other arm; a pair is judged once."""
    by_arm = {name: [run for run in runs if run.arm == name] for name in dict.fromkeys(run.arm for run in runs)}
    asked = [of_records(by_arm[a], by_arm[b]) for a, b in asked_pairs(list(by_arm), reference, winner)]
    return [shown(one, level) for one in judged(asked, shared or common_of([_pairs(runs)]), level)]


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
        difference=_estimate(alone.difference),
        seeds=alone.seeds,
        reason=alone.reason,
        level=level,
        p=alone.p,
        p_page=made.p_page,
        page_verdict=made.page_call,
        seeds_needed=alone.seeds_needed,
    )


def _estimate(interval: Interval | None) -> Estimate | None:
    return None if interval is None else Estimate(value=interval.value, low=interval.low, high=interval.high)


def _teacher(runs: Sequence[RunRecord]) -> TeacherSummary | None:
    """One seed's head serves several arms: it counts once."""
    by_seed = {run.seed: run.teacher for run in runs if run.teacher is not None}
    if not by_seed:
        return None
    accuracies = [teacher.head_accuracy for teacher in by_seed.values() if teacher.head_accuracy is not None]
    errors = [teacher.head_error for teacher in by_seed.values() if teacher.head_error is not None]
    return TeacherSummary(
        name=next(iter(by_seed.values())).name,
        head_accuracy=fmean(accuracies) if accuracies else None,
        head_error=fmean(errors) if errors else None,
    )
