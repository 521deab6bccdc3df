"""Replays `train_images: auto` on a stored full sweep, without training: the same decision, at what share of the cost?

python benchmarks/adaptive_replay.py STORE [--at 1000,4000,16000] [--budget 0.4] [--draws 1000] [--seeds 5]

For every student and every size asked about, the rule chooses runs of the store until it stops. Its decision is
compared with that of the full grid, by the same judge: the arm it names must be the full grid's, or within half a point
of its best by the full grid's own estimate. Cost is the runs' recorded seconds. Draw seeds repeat the replay.
With `--budget` it may spend that share of the full grid's seconds, and the arm that leads then is its decision.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from azeotrope.boundaries.boundary import PRACTICAL
from azeotrope.boundaries.standing import Contest, contest
from azeotrope.planning.adaptive import Step, next_step
from azeotrope.planning.candidates import Candidate
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore
from azeotrope.tables.grouping import finished


@dataclass(frozen=True)
class Replay:
    """One student, one size, one seed of the draws."""

    student: str
    at: float
    stop: str
    named: str
    full: str
    regret: float
    same: bool
    runs: int
    share: float


def seconds(run: RunRecord) -> float:
    return sum(run.seconds.values())


def candidate(run: RunRecord) -> Candidate:
    return Candidate(run.student.name, run.arm, run.train_images, run.seed, seconds(run), run.pretrain_images)


def follow(runs: Sequence[RunRecord], at: float, budget: float, draws: int, seed: int) -> tuple[Step, list[RunRecord]]:
    """Follow the rule until it stops; the runs that it asked for."""
    plan = [candidate(run) for run in runs]
    by_key = {each.key: run for each, run in zip(plan, runs, strict=True)}
    made: list[RunRecord] = []
    while True:
        left = budget * sum(map(seconds, runs)) - sum(map(seconds, made))
        step = next_step(made, plan, at=at, budget_left=left, draws=draws, seed=seed)
        if step.stop:
            return step, made
        made += [by_key[each.key] for each in step.runs]


def replay(runs: Sequence[RunRecord], whole: Contest, budget: float, draws: int, seed: int) -> Replay:
    step, made = follow(runs, whole.at, budget, draws, seed)
    judged = step.questions[0].judged
    named = judged.leader.name if judged else "none"
    regret = whole.standing(named).behind.value if judged else float("inf")
    return Replay(
        student=runs[0].student.name,
        at=whole.at,
        stop=str(step.stop),
        named=named,
        full=whole.leader.name,
        regret=regret,
        same=regret < PRACTICAL,
        runs=len(made),
        share=sum(map(seconds, made)) / sum(map(seconds, runs)),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("--at", default="500,1000,2000,4000,8000,16000")
    parser.add_argument("--budget", type=float, default=float("inf"))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    records = [run for run in RunStore(asked.store) if run.state == "done"]
    found: list[Replay] = []
    print("| student | at | full grid: best (probability) | auto: named | stop | regret, points | runs | cost |")
    print("|---|---|---|---|---|---|---|---|")
    for student in sorted({run.student.name for run in records}):
        own = [run for run in records if run.student.name == student]
        curves = list(finished(own).values())
        for at in map(float, asked.at.split(",")):
            whole = contest(curves, at, draws=asked.draws)
            some = [replay(own, whole, asked.budget, asked.draws, seed) for seed in range(asked.seeds)]
            found += some
            show(whole, some, len(own))
    print(
        f"\nsame decision {sum(item.same for item in found)} of {len(found)}, same arm "
        f"{sum(item.named == item.full for item in found)}; mean cost {fmean(i.share for i in found):.0%}, "
        f"largest {max(i.share for i in found):.0%}; mean regret {100 * fmean(i.regret for i in found):.2f} points"
    )


def show(whole: Contest, some: Sequence[Replay], runs: int) -> None:
    def spread(values: Sequence[float]) -> str:
        return f"{min(values):.3g} to {max(values):.3g}" if max(values) > min(values) else f"{values[0]:.3g}"

    named = ", ".join(sorted({item.named for item in some}))
    stops = ", ".join(sorted({item.stop for item in some}))
    print(
        f"| {some[0].student} | {whole.at:,.0f} | {whole.leader.name} ({whole.leader.p_best:.2f}) | {named} | {stops} "
        f"| {spread([100 * item.regret for item in some])} | {spread([item.runs for item in some])} of {runs} "
        f"| {spread([100 * item.share for item in some])} % |",
        flush=True,
    )


if __name__ == "__main__":
    main()
