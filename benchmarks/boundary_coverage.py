"""How often the boundary's 90 % sets hold the truth, and its outcome is right, in worlds whose truth is known.

Run: `python benchmarks/boundary_coverage.py [REPEATS] [WORLD ...]`. Fixed seeds, apart from those on which the
estimator was tried out (0 to 149, and 10,000 to 10,249). The slow suite checks a smaller sample
(tests/boundaries/test_coverage.py).
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from azeotrope.boundaries.boundary import Boundary, find_boundary
from azeotrope.curves.cells import joint_cells
from azeotrope.curves.joint_draws import draw_curves
from azeotrope.tables.frame import read_runs
from azeotrope.testing.worlds import CROSSING, NONE, SEVEN, WINDOW, Curve, Floats, power, runs, saturating

FIRST_SEED = 20_000
DRAWS = 1000


@dataclass(frozen=True)
class World:
    """Two true curves, a design, and the outcome that a clear case must get."""

    arms: tuple[Curve, Curve]
    outcome: str
    sizes: tuple[float, ...] = tuple(SEVEN)
    seeds: int = 3
    correlation: float = 0.6
    neighbours: float = 0.0
    test_images: int | None = None
    answers: bool = True

    def crossings(self) -> Floats:
        """The true crossings between the smallest size / 3 and 10 x the largest."""
        grid = np.geomspace(self.sizes[0] / 3, self.sizes[-1] * 10, 20_000)
        ahead = self.arms[1](grid) > self.arms[0](grid)
        return grid[1:][ahead[1:] != ahead[:-1]]


SATURATING = saturating(0.10, 60.0, 0.80), saturating(0.06, 120.0, 0.85)
EQUAL = power(0.061, 4.0, 0.45), power(0.06, 4.0, 0.45)
NOT_CLEAR = {"gap of 0.1 points", "100 test images", "300 test images"}
"""Worlds whose runs leave the outcome open: noise near the largest size is 0.2 points or more."""

WORLDS = {
    "one crossing": World(CROSSING, "crossing_bracketed"),
    "none": World(NONE, "distill_always"),
    "window": World(WINDOW, "window"),
    "wrong form": World(SATURATING, "crossing_bracketed"),
    "wrong form, 8 seeds": World(SATURATING, "crossing_bracketed", seeds=8),
    "correlated 0.95": World(CROSSING, "crossing_bracketed", correlation=0.95),
    "few: 5 sizes, 2 seeds": World(CROSSING, "crossing_bracketed", sizes=tuple(np.geomspace(250, 16000, 5)), seeds=2),
    "one seed": World(CROSSING, "crossing_bracketed", seeds=1),
    "gap of 0.1 points": World(EQUAL, "practically_equal"),
    **{
        f"{images:,} test images": World(CROSSING, "crossing_bracketed", neighbours=0.3, test_images=images)
        for images in (100, 300, 1000, 10_000)
    },
    "1,000 test images, answers not kept": World(
        CROSSING, "crossing_bracketed", neighbours=0.3, test_images=1000, answers=False
    ),
    "seeds shared by sizes 0.6": World(CROSSING, "crossing_bracketed", neighbours=0.6),
    "gap of 0.1 points, 8 seeds": World(EQUAL, "practically_equal", seeds=8),
}


@dataclass(frozen=True)
class Score:
    """Shares of true crossings inside the 90 % set, of true differences and of the leader's true errors inside their
    intervals, and of right outcomes.
    """

    crossings: float | None
    differences: float
    errors: float
    right: float
    outcomes: dict[str, int]
    seconds: float


def measure(world: World, repeats: int) -> Score:
    """Score the estimator on `repeats` draws of the world."""
    start, truth = time.perf_counter(), world.crossings()
    answers, errors = zip(*_answers(world, repeats), strict=True)
    held = [_inside(answer, size) for answer in answers for size in truth]
    differences = [_true_difference(world, win.at) in win.difference for answer in answers for win in answer.p_win]
    outcomes = Counter(answer.outcome for answer in answers)
    return Score(
        float(np.mean(held)) if held else None,
        float(np.mean(differences)),
        float(np.mean(errors)),
        outcomes[world.outcome] / repeats,
        dict(outcomes),
        time.perf_counter() - start,
    )


def _answers(world: World, repeats: int) -> Iterator[tuple[Boundary, float]]:
    """The boundary, and the share of sizes at which the leader's true error is inside its 90 % interval."""
    for seed in range(FIRST_SEED, FIRST_SEED + repeats):
        table = runs(
            world.arms,
            sizes=world.sizes,
            seeds=world.seeds,
            correlation=world.correlation,
            neighbours=world.neighbours,
            test_images=world.test_images,
            seed=seed,
        )
        table = table if world.answers else table.drop("correct_bits")
        frame = read_runs(table)
        cells = joint_cells([frame.only("distill"), frame.only("scratch")], "train_images")
        drawn = draw_curves(cells, draws=DRAWS, seed=seed)
        low, high = np.quantile(drawn.errors(cells.sizes), [0.05, 0.95], axis=1)
        leader = drawn.middle(cells.sizes).argmin(axis=0)
        truth = np.array([arm(cells.sizes) for arm in world.arms])
        held = [low[arm, i] <= truth[arm, i] <= high[arm, i] for i, arm in enumerate(leader)]
        yield find_boundary(cells, drawn, "train_images"), float(np.mean(held))


def _inside(answer: Boundary, size: float) -> bool:
    return any((piece.low or 0) < size < (piece.high or np.inf) for piece in answer.confidence_set)


def _true_difference(world: World, size: float) -> float:
    challenger, baseline = (float(arm(np.array(size))) for arm in world.arms)
    return baseline - challenger


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 250
    print(f"{repeats} repeats a world, {DRAWS} draws, seeds from {FIRST_SEED}")
    print("| world | D* in the 90 % set | difference | leader's error in its | outcome right | outcomes | seconds |")
    print("|---|---|---|---|---|---|---|")
    for name in sys.argv[2:] or WORLDS:
        score = measure(WORLDS[name], repeats)
        held = "-" if score.crossings is None else f"{score.crossings:.1%}"
        listed = ", ".join(f"{outcome} {count}" for outcome, count in sorted(score.outcomes.items()))
        print(
            f"| {name} | {held} | {score.differences:.1%} | {score.errors:.1%} | {score.right:.1%} | {listed} "
            f"| {score.seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
