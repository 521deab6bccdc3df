"""From runs to the numbers that a comparison shows: means, intervals, shared cost, the winner, who meets whom.

Verdicts themselves are made by `verdicts/page.py`; how things look is decided elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from pydantic import JsonValue

from azeotrope.errors import InputError
from azeotrope.record.folds import PooledRun, parts_of, pooled
from azeotrope.record.kinds import words_of
from azeotrope.record.resizes import STORED
from azeotrope.record.run import RunRecord
from azeotrope.reporting.arm_summaries import arm_of, winner_of
from azeotrope.reporting.deployed import as_files
from azeotrope.reporting.faster import faster, measured_pretraining
from azeotrope.reporting.numbers import (
    ArmSummary,
    Comparison,
    FailedRun,
    NotTested,
    PretrainingCost,
    TeacherSummary,
)
from azeotrope.reporting.page_verdicts import ALONE, Shared, verdicts
from azeotrope.verdicts.stopping import level_of
from azeotrope.verdicts.verdict import FEWEST_SEEDS

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
    shared: Shared = ALONE,
    looks: Sequence[int] = (),
) -> Comparison:
    """The comparison that these runs make: one task, size, student and teacher, and one run for each arm and seed, or
    one for each fold of these, which are pooled.

    `pretraining`, measured apart, or why it could not be, comes in the place of what the runs themselves say of it.
    `reference` is the arm the others are judged against; where it was not run, the first arm is. `shared` are the
    common variances of all sizes of a page (`shared_by`); without, that of this size. `looks`: the numbers of seeds at
    which somebody looked, where seeds were added until decided. Raises InputError when there are no runs or when they
    do not belong side by side.
    """
    runs = sorted(pooled(records), key=shown_order)
    _check_side_by_side(runs)
    done = [run for run in runs if run.state == "done"]
    arms = _arms(runs, done)
    reference = reference if reference in {arm.name for arm in arms} else arms[0].name
    winner = winner_of(arms)
    if pretraining is None and pretraining_missing is None:
        pretraining, pretraining_missing = measured_pretraining(done)
    compared, not_compared = faster(arms, pretraining, pretraining_missing)
    return Comparison(
        **_subject((done or runs)[0]),
        teacher=_teacher(runs),
        reference=reference,
        winner=winner,
        arms=arms,
        verdicts=tuple(verdicts(done, reference, winner, shared.networks, level_of(looks))),
        deployed=as_files(done, reference, winner, shared.files, level_of(looks)),
        looks=tuple(looks),
        failed=tuple(_failed(run) for run in runs if run.state == "failed"),
        not_tested=tuple(not_tested),
        pretraining=pretraining,
        faster=compared,
        faster_missing=not_compared,
        warnings=tuple(dict.fromkeys((*warnings, *_warnings(done, arms)))),
        plan=plan,
    )


def _arms(runs: Sequence[RunRecord], done: Sequence[RunRecord]) -> tuple[ArmSummary, ...]:
    """Every arm over its runs, in the order of these; shared work is divided among those that are done."""
    amortised = {run.run_id: seconds for run, seconds in zip(done, amortise(done), strict=True)}
    names = dict.fromkeys(run.arm for run in runs)
    return tuple(arm_of([run for run in runs if run.arm == name], amortised) for name in names)


def _subject(run: RunRecord) -> dict[str, Any]:
    """What a comparison is of, by its fields, as any of its runs says it."""
    return {
        "task": run.task.name,
        "fingerprint": run.task.fingerprint,
        "classes": run.task.classes,
        "kind": run.task.kind,
        "metric": run.metric,
        "unit": run.task.unit,
        "common_class": run.task.common_class,
        "common_error": run.task.common_error,
        "train_images": run.train_images,
        "val_images": run.val_images,
        "test_images": run.test_images,
        "folds": run.folds if isinstance(run, PooledRun) else None,
        "student": run.student.name,
        "parameters": run.student.parameters,
        "macs": run.student.macs,
        "image_size": run.student.image_size,
        "resize": run.resize,
        "recipe": run.recipe,
        "environment": run.environment,
    }


def _failed(run: RunRecord) -> FailedRun:
    reason = run.reason or "no reason was recorded"
    return FailedRun(run_id=run.run_id, arm=run.arm, seed=run.seed, reason=reason)


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


def _teacher(runs: Sequence[RunRecord]) -> TeacherSummary | None:
    """One seed's head serves several arms: it counts once."""
    by_seed = {run.seed: run.teacher for run in runs if run.teacher is not None}
    if not by_seed:
        return None
    accuracies = [teacher.head_accuracy for teacher in by_seed.values() if teacher.head_accuracy is not None]
    errors = [teacher.head_error for teacher in by_seed.values() if teacher.head_error is not None]
    return TeacherSummary(
        name=next(iter(by_seed.values())).called,
        head_accuracy=fmean(accuracies) if accuracies else None,
        head_error=fmean(errors) if errors else None,
    )


def _warnings(runs: Sequence[RunRecord], arms: Sequence[ArmSummary]) -> Iterable[str]:
    environments = [part.environment for run in runs for part in parts_of(run) if part.environment]
    machines = {(each.processor, each.device, each.accelerator) for each in environments}
    if len(machines) > 1:
        yield f"The runs were made on {len(machines)} different machines; their times cannot be compared."
    elif len(counts := sorted({len(each.cards) or 1 for each in environments})) > 1:
        first, *others = (f"{count} card" if count == 1 else f"{count}" for count in counts)
        several = " and some on ".join([first, *others])
        yield f"Some runs were made on {several}; their times cannot be compared."
    most = max((len(arm.seeds) for arm in arms), default=0)
    for arm in arms:
        if arm.seeds and len(arm.seeds) < most:
            yield f"{arm.name} finished {len(arm.seeds)} of {most} seeds and cannot be chosen."
    yield from _no_better_than_always(runs, arms)
    if 0 < max((len(arm.run_ids) for arm in arms), default=0) < FEWEST_SEEDS:
        seeds = "1 seed" if most == 1 else f"{most} seeds"
        yield f"Only {seeds} an arm: every verdict is INCONCLUSIVE until there are {FEWEST_SEEDS}."


def _scores(measure: str, level: float) -> str:
    if measure == "single":
        return f"which is wrong on {100 * level:.1f} % of the test images"
    return f"whose {words_of(measure).error} is {100 * level:.1f} %"


def _no_better_than_always(runs: Sequence[RunRecord], arms: Sequence[ArmSummary]) -> Iterable[str]:
    """A warning about arms that do no better than always naming the commonest class."""
    always = next((run.task for run in runs if run.task.common_error is not None), None)
    if always is None or always.common_error is None:
        return
    level = always.common_error
    poor = [arm.name for arm in arms if arm.test_error and arm.test_error.value >= level - 1e-9]
    if poor:
        yield (
            f"{', '.join(poor)} {'is' if len(poor) == 1 else 'are'} no better than always naming "
            f"{always.common_class!r}, {_scores(runs[0].measure, level)}."
        )


def _check_side_by_side(runs: Sequence[RunRecord]) -> None:
    if not runs:
        raise InputError(
            "A comparison needs runs", found="no records", next_step="make some with `azeotrope compare DATA --out OUT`"
        )
    for what, found in _differing(runs):
        raise InputError(
            f"Runs that are compared must share their {what}",
            found=", ".join(sorted(found)),
            allowed=f"one {what}",
            next_step="keep such runs in separate folders",
        )
    (arm, seed), times = Counter((run.arm, run.seed) for run in runs).most_common(1)[0]
    if times > 1:
        raise InputError(
            "A comparison holds one run for each arm and seed",
            found=f"{times} runs of {arm} with seed {seed}",
            next_step="these differ in recipe, weights, code or data; keep them in separate folders",
        )


def _differing(runs: Sequence[RunRecord]) -> Iterable[tuple[str, set[str]]]:
    """What the runs must share and do not."""
    facts = {
        "task": {f"{run.task.name} ({run.task.fingerprint})" for run in runs},
        "measure": {run.judged_by for run in runs},
        "resize of what is judged": {run.resize or STORED for run in runs},
        "number of training images": {str(run.train_images) for run in runs},
        "student": {run.student.name for run in runs},
        "teacher": {run.teacher.called for run in runs if run.teacher is not None},
    }
    return ((what, found) for what, found in facts.items() if len(found) > 1)
