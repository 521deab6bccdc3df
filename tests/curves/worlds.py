"""Short cuts from a world's runs to the estimator's input."""

from __future__ import annotations

import numpy as np
import polars as pl

from azeotrope.curves.cells import JointCells, joint_cells
from azeotrope.record.facts import StudentFacts, TaskFacts
from azeotrope.record.run import RunRecord
from azeotrope.tables.frame import read_runs
from azeotrope.testing.worlds import CROSSING, CROSSING_AT, NONE, SEVEN, WINDOW, power, runs, saturating

__all__ = [
    "CROSSING",
    "CROSSING_AT",
    "NONE",
    "SEVEN",
    "WINDOW",
    "cells",
    "power",
    "records",
    "runs",
    "saturating",
]

TASK = TaskFacts(name="made up", fingerprint="f00d", classes=tuple("abcdefghij"))


def cells(table: pl.DataFrame, *arms: str) -> JointCells:
    """The cells of "distill" and "scratch", or of the arms named."""
    frame = read_runs(table)
    return joint_cells([frame.only(arm) for arm in arms or ("distill", "scratch")], "train_images")


def records(curves, *, student="tiny", parameters=1000, sizes=SEVEN, seeds=3, sd=0.03, seed=0, **facts):
    """Runs of any arms {name: curve} as records; log-normal noise of `sd`, correlated 0.6 between the arms of a seed.

    `seconds` of a run are 10 + size / 100, distilled ones half as much again for their teacher.
    """
    rng = np.random.default_rng(seed)
    spread = sd**2 * (0.6 + 0.4 * np.eye(len(curves)))
    made = []
    for size in map(round, np.asarray(sizes, float).tolist()):
        for number, noise in enumerate(np.exp(rng.multivariate_normal(np.zeros(len(curves)), spread, size=seeds))):
            for (arm, curve), factor in zip(curves.items(), noise, strict=True):
                train = 10 + size / 100
                content = {
                    "run_id": f"{student}-{arm}-{size}-{number}",
                    "state": "done",
                    "task": TASK,
                    "strategy": arm.partition("@")[0].partition(":")[0],
                    "arm": arm,
                    "student": StudentFacts(name=student, parameters=parameters, image_size=32),
                    "init": "hub" if "hub" in arm or arm in ("finetune", "linear_probe") else "random",
                    "train_images": size,
                    "seed": number,
                    "val_error": min(0.99, float(curve(size)) * factor),
                    "test_error": min(0.99, float(curve(size)) * factor),
                    "test_images": 10_000,
                    "seconds": {"train": train} | ({"teacher": train / 2} if "distill" in arm else {}),
                }
                made.append(RunRecord(**{**content, **facts}))
    return made
