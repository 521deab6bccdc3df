"""The same arms as files for a device: what each target's file of them reaches, costs a device, and which arm is then
better.

The runs were measured so (`compare --deploy`); nothing is exported here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median

from azeotrope.record.facts import DeployedFacts
from azeotrope.record.run import RunRecord
from azeotrope.reporting.arm_summaries import arm_of, winner_of
from azeotrope.reporting.numbers import ArmSummary, DeployedArm, DeployedSummary, Estimate
from azeotrope.reporting.page_verdicts import estimate, files_of, verdicts
from azeotrope.verdicts.differences import of_records
from azeotrope.verdicts.moderated import Common
from azeotrope.verdicts.verdict import judge


def as_files(
    done: Sequence[RunRecord],
    reference: str,
    winner: str | None,
    shared: Mapping[str, Common | None],
    level: float,
) -> tuple[DeployedSummary, ...]:
    """One summary for each target that any of these finished runs was measured as; the pairs that are judged are those
    of the networks, of which `winner` won. `shared`: by target, the variance of its files of all sizes of the page.
    """
    targets = dict.fromkeys(target for run in done for target in run.deployed)
    return tuple(_summary(done, target, reference, winner, shared.get(target), level) for target in targets)


def _summary(
    done: Sequence[RunRecord],
    target: str,
    reference: str,
    network: str | None,
    shared: Common | None,
    level: float,
) -> DeployedSummary:
    names = list(dict.fromkeys(run.arm for run in done))
    found = files_of(done, target)
    by_arm = {name: [run for run in found if run.arm == name] for name in names}
    amortised = {run.run_id: run.seconds for run in found}
    shown = [arm_of(runs, amortised) for runs in by_arm.values() if runs]
    present = [arm.name for arm in shown]
    rival = network if network in present else None
    return DeployedSummary(
        target=target,
        arms=tuple(_arm(name, [run for run in done if run.arm == name], target, shown) for name in names),
        winner=winner_of(shown),
        verdicts=tuple(verdicts(found, reference, rival, shared, level)) if reference in present else (),
    )


def _arm(name: str, runs: Sequence[RunRecord], target: str, shown: Sequence[ArmSummary]) -> DeployedArm:
    facts = [run.deployed[target] for run in runs if target in run.deployed]
    summary = next((arm for arm in shown if arm.name == name), None)
    return DeployedArm(
        name=name,
        seeds=summary.seeds if summary else (),
        test_error=summary.test_error if summary else None,
        val_error=summary.val_error if summary else None,
        lost=_lost(runs, target),
        latency_ms=_middle(facts, "latency_ms"),
        size_mb=_middle(facts, "size_mb"),
        int8_share=_mean(facts, "int8_share"),
        missing=tuple(dict.fromkeys(file.reason for file in facts if file.reason)),
    )


def _lost(runs: Sequence[RunRecord], target: str) -> Estimate | None:
    """Test error of the files less that of their own networks, paired over seeds and test images."""
    pairs = [(file, run) for run in runs if (file := run.as_deployed(target)) is not None]
    if not pairs:
        return None
    files = [file.model_copy(update={"arm": f"{file.arm} as {target}"}) for file, _ in pairs]
    return estimate(judge(of_records(files, [run for _, run in pairs])).difference)


def _middle(facts: Iterable[DeployedFacts], name: str) -> float | None:
    known = [value for file in facts if (value := getattr(file, name)) is not None]
    return median(known) if known else None


def _mean(facts: Iterable[DeployedFacts], name: str) -> float | None:
    known = [value for file in facts if (value := getattr(file, name)) is not None]
    return fmean(known) if known else None
