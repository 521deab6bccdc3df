"""How well the boundary foresees real pairs of learning curves (LCDB, Mohr et al. 2022), by factor of extrapolation.

Fits sizes 64 to 1,024 with three seeds of two learners, and judges P_win and the 90 % interval of the difference at
1, 2, 4, 8 times the largest size by the mean of 25 replicates. Beside it stand the rule "the difference at the largest
size stays", with its t distribution, and single laws (M1 to M4) as the same engine draws them.
Run: `python benchmarks/lcdb.py [PAIRS] [SEED] [LAW ...]`.
"""

from __future__ import annotations

import importlib.util
import math
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

from azeotrope.boundaries.boundary import PRACTICAL
from azeotrope.boundaries.crossings import log_grid
from azeotrope.boundaries.outcome import decide
from azeotrope.curves.joint_cells import joint_cells
from azeotrope.curves.joint_draws import draw_curves
from azeotrope.tables.frame import read_runs

FITTED = (64, 128, 256, 512, 1024)
ASKED = (1024, 2048, 4096, 8192)
DRAWS = 300
RULE, AVERAGE = "the difference stays", "average"
M1_TO_M4 = ("power", "power_floor", "shifted", "sigmoid")

Pair = tuple[int, str, str]


@dataclass
class Score:
    """One forecast a pair: probability that the first wins, whether it does, whether the interval holds the truth."""

    p: list[float] = field(default_factory=list)
    won: list[bool] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)

    def line(self) -> str:
        """Cells of the table: pairs, Brier score, log-loss, coverage, sure calls, wrong ones."""
        p, won = np.array(self.p), np.array(self.won)
        right = np.where(won, p, 1 - p)
        sure = np.maximum(p, 1 - p) > 0.95
        return (
            f"{len(p)} | {np.mean((p - won) ** 2):.3f} | {-np.log(np.maximum(right, 1e-3)).mean():.3f} | "
            f"{np.mean(self.held):.2f} | {sure.sum()} | {((p > 0.5) != won)[sure].sum()}"
        )


class Curves:
    """All learning curves, by data set, learner, size and replicate."""

    def __init__(self) -> None:
        folder = os.environ.get("AZEOTROPE_PUBLISHED_DATA") or Path(__file__).parents[2] / "shared" / "data"
        self.error: dict[tuple[int, str, int], dict[int, float]] = {}
        self.images: dict[int, int] = {}
        for row in pl.read_parquet(Path(folder) / "lcdb_curves.parquet").iter_rows(named=True):
            self.error.setdefault((row["dataset"], row["learner"], row["train_images"]), {})[row["seed"]] = row[
                "test_error"
            ]
            self.images[row["dataset"]] = row["test_images"]
        self.mean = {key: float(np.mean(list(values.values()))) for key, values in self.error.items()}

    def pairs(self, count: int, rng: random.Random) -> list[Pair]:
        """Pairs of learners that learn something and are within five points at the largest fitted size."""
        found: list[Pair] = []
        for dataset in sorted({key[0] for key in self.mean}):
            good = [learner for learner in self._learners(dataset) if self._usable(dataset, learner)]
            ends = {learner: self.mean[dataset, learner, FITTED[-1]] for learner in good}
            close = [(dataset, a, b) for a in good for b in good if a < b and abs(ends[a] - ends[b]) < 0.05]
            rng.shuffle(close)
            found += close[: max(1, count // 30)]
        rng.shuffle(found)
        return found[:count]

    def _learners(self, dataset: int) -> list[str]:
        return sorted({key[1] for key in self.mean if key[0] == dataset})

    def _usable(self, dataset: int, learner: str) -> bool:
        worst = max(self.mean.get((dataset, one, FITTED[0]), 0.0) for one in self._learners(dataset))
        known = all((dataset, learner, size) in self.mean for size in (*FITTED, 2048))
        return known and self.mean[dataset, learner, FITTED[-1]] < 0.9 * worst

    def runs(self, pair: Pair, seeds: list[int]) -> pl.DataFrame:
        """The runs of both learners that are shown, as a table of a user's."""
        dataset, *learners = pair
        rows = [
            (learner, size, seed, self.error[dataset, learner, size][seed], self.images[dataset])
            for learner in learners
            for size in FITTED
            for seed in seeds
        ]
        return pl.DataFrame(rows, schema=["arm", "train_images", "seed", "test_error", "test_images"], orient="row")

    def truths(self, pair: Pair) -> Iterator[tuple[int, float]]:
        """Place in `ASKED`, and how much lower the first learner's mean error is there."""
        dataset, first, second = pair
        for place, size in enumerate(ASKED):
            if (dataset, first, size) in self.mean and (dataset, second, size) in self.mean:
                yield place, self.mean[dataset, second, size] - self.mean[dataset, first, size]


def rule(curves: Curves, pair: Pair, seeds: list[int]) -> tuple[float, float, float]:
    """P(first wins) by a t distribution, and the 90 % interval, of the difference at the largest size."""
    dataset, first, second = pair
    gaps = np.array(
        [
            [curves.error[dataset, second, size][seed] - curves.error[dataset, first, size][seed] for seed in seeds]
            for size in FITTED
        ]
    )
    sd = math.sqrt(gaps[-3:].var(axis=1, ddof=1).mean() / len(seeds)) + 1e-4
    last, half = gaps[-1].mean(), stats.t.ppf(0.95, 6) * sd
    return float(stats.t.cdf(last / sd, 6)), last - half, last + half


def main() -> None:
    count, seed = (int(word) for word in (sys.argv[1:3] + ["360", "7"][len(sys.argv[1:3]) :]))
    laws = sys.argv[3:] or [AVERAGE, *M1_TO_M4]
    curves, rng = Curves(), random.Random(seed)
    pairs = curves.pairs(count, rng)
    scores = {(name, place): Score() for name in (RULE, *laws) for place in range(len(ASKED))}
    outcomes: Counter[str] = Counter()
    for pair in pairs:
        seeds = [5 * outer + rng.randrange(5) for outer in rng.sample(range(5), 3)]
        frame = read_runs(curves.runs(pair, seeds))
        cells = joint_cells([frame.only(learner) for learner in pair[1:]], "train_images")
        asked: dict[str, np.ndarray] = {}
        for law in laws:
            drawn = draw_curves(cells, draws=DRAWS, form=None if law == AVERAGE else law)
            first, second = np.minimum(drawn.errors(np.array(ASKED, float)), 1)
            asked[law] = second - first
            if law == AVERAGE:
                grid = log_grid(cells.sizes)
                first, second = np.minimum(drawn.errors(grid), 1)
                outcomes[decide(second - first, grid, FITTED[0], FITTED[-1], PRACTICAL)] += 1
        p_stays, *stays = rule(curves, pair, seeds)
        for place, truth in curves.truths(pair):
            for name in (RULE, *laws):
                p = p_stays if name == RULE else float((asked[name][:, place] > 0).mean())
                low, high = stays if name == RULE else np.quantile(asked[name][:, place], [0.05, 0.95])
                score = scores[name, place]
                score.p.append(p)
                score.won.append(truth > 0)
                score.held.append(bool(low <= truth <= high))
    print(f"{len(pairs)} pairs of {len({pair[0] for pair in pairs})} data sets, seed {seed}, {DRAWS} draws")
    print("| times the largest size | forecast | pairs | Brier | log-loss | 90 % holds | above 0.95 | wrong of these |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, place), score in sorted(scores.items(), key=lambda item: item[0][1]):
        print(f"| {ASKED[place] // FITTED[-1]}x | {name} | {score.line()} |")
    print(dict(outcomes))
    if importlib.util.find_spec("lcpfn") is None:
        print("lcpfn is left out: it is not installed")


if __name__ == "__main__":
    main()
