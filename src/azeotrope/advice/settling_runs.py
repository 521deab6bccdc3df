"""Which runs would settle what the evidence does not allow to decide: the other half of every refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from azeotrope.advice.answer import ProposedRun
from azeotrope.advice.contender_draws import Judged
from azeotrope.advice.evidence import Contender
from azeotrope.boundaries.boundary import main_direction
from azeotrope.boundaries.crossings import log_grid, sign_changes
from azeotrope.boundaries.next_runs import apart, settle_crossing
from azeotrope.planning.settled import Pairs
from azeotrope.tables.checks import FEWEST_SIZES

PILOT_SHARES = (1 / 16, 1 / 4, 1.0)
"""Of the user's images: sizes for a contender that has too few for a law."""
CLOSER_SHARES = (1 / 4, 1 / 2, 1.0)
FEW_IMAGES = 1000
"""Below so many images a sixteenth holds too few of each class to learn from: closer shares, still over a factor 2."""
PILOT_SEEDS = 2


def between(
    judged: Judged, first: Contender, rival: Contender, at: float, price: Callable[[float], float]
) -> tuple[ProposedRun, ...]:
    """One more paired seed of two contenders, at the sizes that tell most about which is better at `at`."""
    places = judged.place(first.name), judged.place(rival.name)
    cells, draws = judged.pair(*places), judged.draws.only(places)
    grid = log_grid(cells.sizes)
    ahead, behind = draws.errors(grid)
    changes = sign_changes(behind - ahead, grid)
    ranked = settle_crossing(cells, draws, changes, main_direction(changes), price=price, at=at)
    names = (first.name, rival.name)
    return tuple(ProposedRun(names, run.size, 1, run.variance_removed) for run in apart(ranked))


def more_seeds(doubt: Pairs) -> tuple[ProposedRun, ...]:
    """The paired seeds that two contenders lack for a verdict, or one more where those there are speak against it."""
    names = (doubt.first, doubt.second)
    return () if doubt.size is None else (ProposedRun(names, doubt.size, max(1, doubt.lacking)),)


def nearer(contenders: Iterable[Contender], seen: float, at: float) -> tuple[ProposedRun, ...]:
    """Runs that reach out from `seen` to `at`, when `at` is too far from all that was run."""
    names = tuple(one.name for one in contenders)
    return tuple(ProposedRun(names, float(f"{size:.2g}"), PILOT_SEEDS) for size in (np.sqrt(seen * at), at))


def enough_sizes(contenders: Iterable[Contender], at: float) -> tuple[ProposedRun, ...]:
    """Sizes that are missing before a law can be fitted to each contender."""
    runs = []
    for one in contenders:
        present = one.curve.table["train_images"].unique().to_list()
        shares = PILOT_SHARES if at >= FEW_IMAGES else CLOSER_SHARES
        wanted = [max(2.0, float(f"{share * at:.2g}")) for share in shares]
        missing = [size for size in wanted if all(not 0.7 < size / other < 1.4 for other in present)]
        lacking = max(1, FEWEST_SIZES - len(present))
        runs += [ProposedRun((one.name,), size, PILOT_SEEDS) for size in missing[-lacking:]]
    return tuple(runs)


def rival(only: Contender) -> tuple[ProposedRun, ...]:
    """The arm that a lone contender must be compared with, at its own sizes."""
    other = "distill" if only.arm == "scratch" else "scratch"
    sizes = only.curve.table["train_images"].unique().sort().to_list()
    return tuple(ProposedRun((other,), size, PILOT_SEEDS) for size in sizes)
