"""How well the averaged prediction foresees real few-shot curves (Alabdulmohsin et al. 2022), and how often its
interval is right.

Only the `fit` rows are fitted; the `extrapolate` rows score, and chose the shares held out and the sharpness of the
weights (`curves/fitted/average.py`). Run: `python benchmarks/vision_curves.py`. With `--choose` both are chosen for
each curve on those of other tasks and other architectures.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from azeotrope.curves.cells import JointCells, joint_cells
from azeotrope.curves.fitted import average
from azeotrope.curves.fitted.applicable_laws import default_forms
from azeotrope.curves.fitted.draws import replicates
from azeotrope.curves.fitted.law_fit import Options, fit_form
from azeotrope.curves.fitted.weighing import judgeable
from azeotrope.curves.joint_draws import draw_curves
from azeotrope.laws._law import law
from azeotrope.tables.frame import read_runs

CLASSES = {"bird": 200, "cal": 102}  # Caltech-UCSD Birds, Caltech-101 with background
DRAWS = 300


@dataclass(frozen=True)
class Curve:
    """One task and model: cells to fit, and what came later."""

    task: str
    model: str
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
        yield Curve(str(task), str(model), cells, later["examples_seen"].to_numpy(), later["error"].to_numpy())


def rmse(predicted: np.ndarray, observed: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.log(predicted) - np.log(observed)) ** 2)))


def choose() -> None:
    """Score every curve by the setting that was best on curves which share neither its task nor its architecture."""
    options, found = Options(), list(curves())
    settings = list(itertools.product(((0.15, 0.3), (0.3,), (0.3, 0.5), (0.5,)), (0.5, 1.0, 2.0, 3.0)))
    scores = np.zeros((len(found), len(settings)))
    for row, curve in enumerate(found):
        cells, x = curve.cells.curve(0), curve.later[None]
        laws = judgeable(default_forms(("train_images",), len(cells.sizes), cells.chance), len(cells.sizes))
        forms = [fit_form(one, cells, options) for one in laws]
        for shares in {setting[0] for setting in settings}:
            held = average.hold_out(laws, cells, options, shares)
            for place, (same, sharpness) in enumerate(settings):
                if same == shares:
                    weight = average.weights(held, len(laws), sharpness)
                    scores[row, place] = rmse(average.predict(forms, weight, x), curve.error)
    for setting, mean in sorted(zip(settings, scores.mean(axis=0), strict=True), key=lambda pair: pair[1]):
        print(f"  held out {setting[0]}, sharpness {setting[1]:g}: {mean:.4f}")
    chosen = [_best(found, scores, curve) for curve in found]
    print(f"chosen on other tasks and architectures: {scores[np.arange(len(found)), chosen].mean():.4f}")
    print({settings[place]: count for place, count in Counter(chosen).most_common()})


def _best(found: list[Curve], scores: np.ndarray, curve: Curve) -> int:
    other = np.array([one.task != curve.task and _family(one) != _family(curve) for one in found])
    return int(scores[other].mean(axis=0).argmin())


def _family(curve: Curve) -> str:
    """MiX, BiT or ViT: the architecture without its size."""
    return curve.model.split("/", maxsplit=1)[0]


def main() -> None:
    if "--choose" in sys.argv:
        choose()
        return
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
