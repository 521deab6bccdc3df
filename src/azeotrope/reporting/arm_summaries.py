"""One arm of a comparison over its seeds, and which arm validation chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from azeotrope.record.folds import parts_of
from azeotrope.record.run import RunRecord
from azeotrope.reporting.numbers import ArmSummary
from azeotrope.reporting.page_verdicts import estimate
from azeotrope.verdicts.verdict import arm_error


def arm_of(runs: Sequence[RunRecord], amortised: dict[str, dict[str, float]]) -> ArmSummary:
    """One arm over its seeds; `amortised` are the seconds of each run by id, with shared work divided."""
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
        test_error=estimate(arm_error(done)) if done else None,
        val_error=fmean(validation) if validation else None,
        metrics=_means([{name: run.metrics[name] for name in measured} for run in done]),
        seeds=tuple(run.seed for run in done),
        seed_errors=errors,
        seconds=_means([run.seconds for run in done]),
        seconds_amortised=_means([amortised[run.run_id] for run in done]),
        joules=_means([run.joules for run in done]) if all(_metered(run) for run in done) else {},
        flops=fmean(flops) if flops else None,
        pretrained=runs[0].init == "hub",
        run_ids=tuple(part.run_id for run in done for part in parts_of(run)),
    )


def _metered(run: RunRecord) -> bool:
    """Whether the energy is known of every phase that took time: a sum over a part would look small."""
    return bool(run.joules) and {phase for phase, spent in run.seconds.items() if spent > 0} <= run.joules.keys()


def _means(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """By name: seconds by phase, where a phase that a run did not have took it no time, or measures that all have."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: fmean(run.get(name, 0.0) for run in runs) for name in names}


def winner_of(arms: Sequence[ArmSummary]) -> str | None:
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
