"""Do laws fitted on the smaller sizes of a stored sweep foresee the larger ones, inside their 90 % interval?

python benchmarks/hold_out.py STORE [--up-to 4000] [--draws 1000]

Fits every student and arm on sizes up to the limit and predicts the others. What is predicted is the mean of the runs
there; its own noise (seeds, t interval) is shown beside it, not added to the interval.
"""

from __future__ import annotations

import argparse
from statistics import fmean

import numpy as np

import azeotrope
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.store import RunStore


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("--up-to", type=int, default=4000)
    parser.add_argument("--draws", type=int, default=1000)
    asked = parser.parse_args()
    records = [run for run in RunStore(asked.store) if run.state == "done" and run.test_error is not None]
    inside: list[bool] = []
    print("| student | arm | images | predicted %, 90 % | measured %, seeds | inside | log error |")
    print("|---|---|---|---|---|---|---|")
    for student in sorted({run.student.name for run in records}):
        own = [run for run in records if run.student.name == student]
        inside += predicted(student, own, asked.up_to, asked.draws)
    print(f"\n{sum(inside)} of {len(inside)} inside")


def predicted(student: str, runs: list[RunRecord], limit: int, draws: int) -> list[bool]:
    """One row an arm and held-out size."""
    hidden = sorted({run.train_images for run in runs if run.train_images > limit})
    shown = [run for run in runs if run.train_images <= limit]
    fitted = azeotrope.fit(shown, at=hidden, draws=draws)
    inside = []
    for arm, group in fitted.groups.items():
        for step in group.predictions:
            errors = [
                run.test_error for run in runs if run.arm == arm and run.train_images == step.at and run.test_error
            ]
            if not errors or step.low is None or step.high is None:
                continue
            mean = fmean(errors)
            inside.append(step.low <= mean <= step.high)
            seeds = ", ".join(f"{100 * error:.1f}" for error in errors)
            print(
                f"| {student} | {arm} | {step.at:,.0f} | {100 * step.value:.1f} ({100 * step.low:.1f} to "
                f"{100 * step.high:.1f}) | {100 * mean:.1f} ({seeds}) | {'yes' if inside[-1] else 'no'} "
                f"| {np.log(step.value / mean):+.3f} |"
            )
    return inside


if __name__ == "__main__":
    main()
