"""May these runs stand side by side, and what must a reader know who compares them? It computes no number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from azeotrope.errors import InputError
from azeotrope.record.run import RunRecord
from azeotrope.reporting.numbers import ArmSummary
from azeotrope.verdicts.verdict import FEWEST_SEEDS


def warnings_of(runs: Sequence[RunRecord], arms: Sequence[ArmSummary]) -> Iterable[str]:
    """What weakens the comparison of these arms."""
    environments = [run.environment for run in runs if run.environment]
    machines = {(each.processor, each.device, each.accelerator) for each in environments}
    if len(machines) > 1:
        yield f"The runs were made on {len(machines)} different machines; their times cannot be compared."
    most = max((len(arm.seeds) for arm in arms), default=0)
    for arm in arms:
        if arm.seeds and len(arm.seeds) < most:
            yield f"{arm.name} finished {len(arm.seeds)} of {most} seeds and cannot be chosen."
    yield from _no_better_than_always(runs, arms)
    if 0 < most < FEWEST_SEEDS:
        seeds = "1 seed" if most == 1 else f"{most} seeds"
        yield f"Only {seeds} an arm: every verdict is INCONCLUSIVE until there are {FEWEST_SEEDS}."


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
            f"{always.common_class!r}, which is wrong on {100 * level:.1f} % of the test images."
        )


def check_side_by_side(runs: Sequence[RunRecord]) -> None:
    """Raises InputError for no runs, several tasks, sizes, students or teachers, and for a seed that comes twice."""
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
        "number of training images": {str(run.train_images) for run in runs},
        "student": {run.student.name for run in runs},
        "teacher": {run.teacher.name for run in runs if run.teacher is not None},
    }
    return ((what, found) for what, found in facts.items() if len(found) > 1)
