"""How well the averaged prediction foresees real few-shot curves (Alabdulmohsin et al. 2022), and how often its
interval is right.

Only the `fit` rows are fitted; the `extrapolate` rows are read once, to score. Run: `python
benchmarks/vision_curves.py`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from azeotrope.curves.cells import JointCells, joint_cells
from azeotrope.curves.draws import replicates
from azeotrope.curves.joint_draws import draw_curves
from azeotrope.curves.law_fit import Options, fit_form
from azeotrope.laws._law import law
from azeotrope.tables.frame import read_runs

CLASSES = {"bird": 200, "cal": 102}  # Caltech-UCSD Birds, Caltech-101 with background
DRAWS = 300


@dataclass(frozen=True)
class Curve:
    """One task and model: cells to fit, and what came later."""

    name: str
    cells: JointCells
    later: np.ndarray
    error: np.ndarray


def published(name: str) -> Path:
    folder = os.environ.get("AZEOTROPE_PUBLISHED_DATA") or Path(__file__).parents[2] / "shared" / "data"
    return Path(folder) / name


def curves() -> Iterator[Curve]:
    table = pl.read_csv(published("vision_curves.csv")).sort("examples_seen")
    for (task, model), rows in table.group_by("task", "model", maintain_order=True):
        seen, later = rows.filter(pl.col("split") == "fit"), rows.filter(pl.col("split") != "fit")
        table = seen.select(
            pl.col("examples_seen").alias("train_images"),
            pl.col("error").alias("test_error"),
            classes=pl.lit(CLASSES[str(task).split("_")[0]]),
        )
        cells = joint_cells([read_runs(table)], "train_images")
        yield Curve(f"{task} {model}", cells, later["examples_seen"].to_numpy(), later["error"].to_numpy())


def rmse(predicted: np.ndarray, observed: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.log(predicted) - np.log(observed)) ** 2)))


def main() -> None:
    options = Options()
    scores, covered, alone, widths = [], [], [], []
    fitting = drawing = 0.0
    for seed, curve in enumerate(curves()):
        began = time.process_time()
        drawn = draw_curves(curve.cells, draws=DRAWS, seed=seed)
        drawing += time.process_time() - began
        began = time.process_time()
        forms = [fit_form(law(key), curve.cells.curve(0), options) for key in drawn.forms]
        fitting += time.process_time() - began
        x = curve.later[None]
        row = {form.law.key: rmse(form.predict(x), curve.error) for form in forms}
        scores.append(row | {"average": rmse(drawn.middle(curve.later)[0], curve.error)})
        began = time.process_time()
        far = curve.later >= np.median(curve.later)
        truth = np.log(curve.error[far]).mean()
        rng = np.random.default_rng(seed)
        low, high = np.quantile(np.log(drawn.errors(curve.later[far])[0]).mean(axis=1), [0.05, 0.95])
        covered.append(low <= truth <= high)
        widths.append(high - low)
        one = next(form for form in forms if form.law.key == "sigmoid")
        low, high = np.quantile(np.log(replicates(one, DRAWS, rng).predict(x[:, far])).mean(axis=1), [0.05, 0.95])
        alone.append(low <= truth <= high)
        drawing += time.process_time() - began
    table = pl.DataFrame(scores)
    print(f"{len(scores)} curves; RMSE of log error on the extrapolate rows: mean, sd over curves, worst")
    for key in table.columns:
        print(f"  {key:12s} {table[key].mean():.4f} {table[key].std():.4f} {table[key].max():.4f}")
    print(
        f"90 % interval of the far half's mean: covers {np.mean(covered):.1%}, "
        f"median width {np.median(widths):.3f} in log error"
    )
    print(f"  `sigmoid` bootstrap alone: covers {np.mean(alone):.1%}")
    print(
        f"each law once more: {fitting:.1f} s; {DRAWS} draws a curve with their weights, and `sigmoid` alone: "
        f"{drawing:.1f} s of processor time"
    )


if __name__ == "__main__":
    main()
