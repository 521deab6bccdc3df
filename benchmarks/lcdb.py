"""How well the boundary foresees real pairs of learning curves (LCDB, Mohr et al. 2022), by factor of extrapolation.

Fits sizes 64 to 1,024 with three seeds of two learners, and judges P_win and the 90 % interval of the difference at
1, 2, 4, 8 times the largest size by the mean of 25 replicates. Beside it stand the rule "the difference at the largest
size stays", with its t distribution, and single laws where they are named, as the same engine draws them.

Run: `python benchmarks/lcdb.py [PAIRS] [SEED] [LAW ...]`, e.g. `360 7 power power_floor shifted sigmoid`. With
`--calibrate` the drift of `curves/beyond.py` (five of its eight rates) is found anew on four fifths of the data sets,
and scores the other fifth, five times: no data set scores a drift that it had a part in.
"""

from __future__ import annotations

import importlib.util
import math
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy import optimize, stats

from azeotrope.boundaries.boundary import find_boundary
from azeotrope.curves.beyond import FREEDOM, Rates
from azeotrope.curves.cells import JointCells, joint_cells
from azeotrope.curves.joint_draws import Draws, draw_curves
from azeotrope.tables.frame import read_runs

FITTED = (64, 128, 256, 512, 1024)
ASKED = (1024, 2048, 4096, 8192)
DRAWS = 400
FOLDS = 5
RULE, AVERAGE, LEFT_OUT = "the difference stays", "average", "average, its data set left out"

Pair = tuple[int, str, str]


@dataclass
class Score:
    """One forecast a pair: probability that the first wins, whether it does, whether the interval holds the truth, and
    how many of the two errors are in theirs.
    """

    p: list[float] = field(default_factory=list)
    won: list[bool] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def add(self, p: float, truth: float, low: float, high: float, errors: float = math.nan) -> None:
        """One forecast more, of a difference that is `truth`; `errors`: the share of the two in their intervals."""
        self.p.append(p)
        self.won.append(truth > 0)
        self.held.append(low <= truth <= high)
        self.errors.append(errors)

    def line(self) -> str:
        """Cells of the table: pairs, Brier score, log-loss, sure calls and wrong ones, coverage."""
        p, won = np.array(self.p), np.array(self.won)
        right = np.where(won, p, 1 - p)
        sure = np.maximum(p, 1 - p) > 0.95
        return (
            f"{len(p)} | {np.mean((p - won) ** 2):.3f} | {-np.log(np.maximum(right, 1e-3)).mean():.3f} | "
            f"{sure.sum()}, {((p > 0.5) != won)[sure].sum()} | {np.mean(self.held):.3f} | {np.mean(self.errors):.3f}"
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


@dataclass(frozen=True)
class Case:
    """One pair as it was drawn, what the rule says of it, and the true differences by place in `ASKED`."""

    pair: Pair
    cells: JointCells
    draws: Draws
    rule: tuple[float, float, float]
    truths: dict[int, float]
    errors: dict[int, list[float]]

    def add(self, scores: dict[tuple[str, int], Score], name: str, draws: Draws) -> str:
        """Score what `boundary` answers from these draws; returns its outcome."""
        answer = find_boundary(self.cells, draws, "train_images", at=ASKED)
        low, high = np.quantile(draws.errors(np.array(ASKED, float)), [0.05, 0.95], axis=1)
        for place, truth in self.truths.items():
            win = answer.p_win[place]
            held = [low[arm, place] <= error <= high[arm, place] for arm, error in enumerate(self.errors[place])]
            score = scores.setdefault((name, place), Score())
            score.add(win.p, truth, win.difference.low, win.difference.high, float(np.mean(held)))
        return answer.outcome


class Known:
    """What calibration asks of many cases: by how much the middle of the forecast missed the true log errors of both
    arms, and what the spread of a case is made of.
    """

    def __init__(self, cases: Sequence[Case], curves: Curves) -> None:
        sizes, end = np.array(ASKED[1:], float), np.array([float(FITTED[-1])])
        self.doublings = np.log2(sizes / FITTED[-1])
        self.onward = [case.draws.onward for case in cases]
        self.order = [list(case.draws.arms) for case in cases]
        middle = np.array([np.log(case.draws.middle(sizes)) for case in cases])
        self.gap = np.array([np.diff(np.log(case.draws.middle(end)[:, 0])) for case in cases])  # [cases, 1]
        self.missed = np.array([self._log_errors(curves, case) for case in cases]) - middle

    @staticmethod
    def _log_errors(curves: Curves, case: Case) -> list[list[float]]:
        """Of the first and the second learner at the sizes ahead; a mean without a wrong answer is half of one."""
        dataset, *learners = case.pair
        least = 0.5 / (25 * curves.images[dataset])
        return [
            [math.log(max(curves.mean.get((dataset, one, size), np.nan), least)) for size in ASKED[1:]]
            for one in learners
        ]

    def surprise(self, rates: Rates) -> float:
        """Mean of minus the log density of the true errors, plus the same of their ratio."""
        drifts = [replace(onward, rates=rates) for onward in self.onward]
        own = np.array([drift.spread[order] for drift, order in zip(drifts, self.order, strict=True)])[:, :, None]
        together = np.array([drift.together for drift in drifts])[:, None, None] * np.sqrt(self.doublings)
        gap = rates.of_gap * self.gap[:, :, None]  # each arm is half of it away from the mean of both
        alone = np.hypot(np.hypot(own, gap / 2) * self.doublings, together)
        apart = np.sqrt((own**2).sum(axis=1) + gap[:, 0] ** 2) * self.doublings
        return _surprise(self.missed, alone) + _surprise(self.missed[:, 1] - self.missed[:, 0], apart)


def _surprise(missed: np.ndarray, spread: np.ndarray) -> float:
    """Minus the log density of Student's t; a hundredth is added, so that no single curve decides."""
    spread = np.maximum(spread, 1e-4)
    return float(np.nanmean(-np.log(stats.t.pdf(missed / spread, FREEDOM) / spread + 1e-2)))


def calibrated(cases: Sequence[Case], curves: Curves) -> Rates:
    """The drift that foresees these cases best, from the one that is shipped; what shapes the middle is kept."""
    own_way, heading, apart, *drift = astuple(Rates())
    known = Known(cases, curves)

    def rates(point: np.ndarray) -> Rates:
        return Rates(own_way, heading, apart, *map(float, np.exp(point)))

    options = {"maxfev": 1500, "xatol": 0.01, "fatol": 1e-5}
    found = optimize.minimize(
        lambda point: known.surprise(rates(point)), np.log(drift), method="Nelder-Mead", options=options
    )
    return rates(found.x)


def left_out(cases: Sequence[Case], curves: Curves, scores: dict[tuple[str, int], Score]) -> None:
    """Score every data set by rates that were found on others, and say these."""
    datasets = sorted({case.pair[0] for case in cases})
    random.Random(0).shuffle(datasets)
    for fold in range(FOLDS):
        hidden = set(datasets[fold::FOLDS])
        rates = calibrated([case for case in cases if case.pair[0] not in hidden], curves)
        print(f"without {sorted(hidden)}: {rates}", flush=True)
        for case in cases:
            if case.pair[0] in hidden:
                case.add(scores, LEFT_OUT, case.draws.with_rates(rates))
    print(f"all: {calibrated(cases, curves)}", flush=True)


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--calibrate"]
    count, seed = (int(word) for word in (words[:2] + ["360", "7"][len(words[:2]) :]))
    laws = words[2:]
    curves, rng = Curves(), random.Random(seed)
    scores: dict[tuple[str, int], Score] = {}
    cases: list[Case] = []
    outcomes: Counter[str] = Counter()
    for pair in curves.pairs(count, rng):
        seeds = [5 * outer + rng.randrange(5) for outer in rng.sample(range(5), 3)]
        frame = read_runs(curves.runs(pair, seeds))
        cells = joint_cells([frame.only(learner) for learner in pair[1:]], "train_images")
        drawn, truths = draw_curves(cells, draws=DRAWS), dict(curves.truths(pair))
        errors = {place: [curves.mean[pair[0], learner, ASKED[place]] for learner in pair[1:]] for place in truths}
        case = Case(pair, cells, drawn, rule(curves, pair, seeds), truths, errors)
        for place, truth in case.truths.items():
            scores.setdefault((RULE, place), Score()).add(case.rule[0], truth, *case.rule[1:])
        outcomes[case.add(scores, AVERAGE, case.draws)] += 1
        for law in laws:
            case.add(scores, law, draw_curves(cells, draws=DRAWS, form=law))
        cases.append(case)
    if "--calibrate" in sys.argv:
        left_out(cases, curves, scores)
    print(f"{len(cases)} pairs of {len({case.pair[0] for case in cases})} data sets, seed {seed}, {DRAWS} draws")
    print("| ahead | forecast | pairs | Brier | log-loss | above 0.95, wrong | 90 % holds difference | and errors |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, place), score in sorted(scores.items(), key=lambda item: item[0][1]):
        print(f"| {ASKED[place] // FITTED[-1]}x | {name} | {score.line()} |")
    print(dict(outcomes))
    if importlib.util.find_spec("lcpfn") is None:
        print("lcpfn is left out: it is not installed")


if __name__ == "__main__":
    main()
