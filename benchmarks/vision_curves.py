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

from azeotrope.curves import average
from azeotrope.curves.applicable_laws import default_forms
from azeotrope.curves.cells import Cells, plain
from azeotrope.curves.draws import prediction_draws, replicates
from azeotrope.curves.law_fit import Options, fit_form

CLASSES = {"bird": 200, "cal": 102}  # Caltech-UCSD Birds, Caltech-101 with background
DRAWS = 300


@dataclass(frozen=True)
class Curve:
    """One task and model: cells to fit, and what came later."""

    name: str
    cells: Cells
    later: np.ndarray
    error: np.ndarray


def published(name: str) -> Path:
    folder = os.environ.get("AZEOTROPE_PUBLISHED_DATA") or Path(__file__).parents[2] / "shared" / "data"
    return Path(folder) / name


def curves() -> Iterator[Curve]:
    table = pl.read_csv(published("vision_curves.csv")).sort("examples_seen")
    for (task, model), rows in table.group_by("task", "model", maintain_order=True):
        seen, later = rows.filter(pl.col("split") == "fit"), rows.filter(pl.col("split") != "fit")
        chance = 1 - 1 / CLASSES[str(task).split("_")[0]]
        cells = plain(seen["examples_seen"].to_numpy(), seen["error"].to_numpy(), chance)
        yield Curve(f"{task} {model}", cells, later["examples_seen"].to_numpy(), later["error"].to_numpy())


def rmse(predicted: np.ndarray, observed: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.log(predicted) - np.log(observed)) ** 2)))


def main() -> None:
    options = Options()
    scores, covered, alone, widths = [], [], [], []
    fitting = drawing = 0.0
    for seed, curve in enumerate(curves()):
        began = time.process_time()
        laws = default_forms(("train_images",), len(curve.cells.sizes), curve.cells.chance)
        forms = [fit_form(law, curve.cells, options) for law in laws]
        held_out = average.hold_out(laws, curve.cells, options)
        share = average.weights(held_out, len(laws))
        fitting += time.process_time() - began
        x = curve.later[None]
        row = {form.law.key: rmse(form.predict(x), curve.error) for form in forms}
        scores.append(row | {"average": rmse(average.predict(forms, share, x), curve.error)})
        began = time.process_time()
        far = curve.later >= np.median(curve.later)
        truth = np.log(curve.error[far]).mean()
        rng = np.random.default_rng(seed)
        low, high = np.quantile(prediction_draws(forms, share, x[:, far], DRAWS, rng).mean(axis=1), [0.05, 0.95])
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
    print(f"all laws, all hold-outs: {fitting:.1f} s; {DRAWS} draws a curve, twice: {drawing:.1f} s of processor time")


if __name__ == "__main__":
    main()
