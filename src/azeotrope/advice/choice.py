"""Which contender to take, from draws of their errors at one size: the cheapest of those that are surely near the best.

"Surely near": within the practical difference of the lowest error, whichever contender that is, with 95 %, and borne
out by as many seeds as a verdict asks for. When none is, these runs do not settle the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from azeotrope.curves.cells import Floats
from azeotrope.planning.settled import SURE

CHEAPER = 0.9
"""A cheaper one takes the place of the one with the lowest error only below 0.9 of its price: seconds are noisy."""


@dataclass(frozen=True)
class Choice:
    """Places in the draws: `chosen` (None: not settled), `leader` with the lowest median error, and the `runner_up` to
    whichever of them comes first. `p_best`, `p_near_best` [K]: probability of having, or nearly having, the lowest.
    """

    chosen: int | None
    leader: int
    runner_up: int | None
    p_best: Floats
    p_near_best: Floats

    @property
    def first(self) -> int:
        """The chosen one, or else the leader."""
        return self.leader if self.chosen is None else self.chosen


def choose(
    errors: Floats,
    middle: Floats,
    prices: Sequence[float | None],
    practical: float,
    borne_out: Callable[[int], bool] = lambda place: True,
) -> Choice:
    """Choose among `errors` [K, R] at one size around `middle` [K]; `prices` [K] of one run each, None where not known.

    `borne_out` says of a place whether the seeds alone allow to name it.
    """
    lowest = errors.min(axis=0)
    p_best = (errors <= lowest).mean(axis=1)
    near = (errors - lowest < practical).mean(axis=1)
    order = [int(place) for place in np.argsort(middle, kind="stable")]
    leader, safe = order[0], [place for place in order if near[place] >= SURE and borne_out(place)]
    chosen = _cheapest(safe, prices) if safe else None
    first = leader if chosen is None else chosen
    runner_up = next((place for place in order if place != first), None)
    return Choice(chosen, leader, runner_up, np.asarray(p_best), np.asarray(near))


def _cheapest(safe: Sequence[int], prices: Sequence[float | None]) -> int:
    """The lowest error of `safe` (in that order), unless another costs clearly less; unknown prices compete not."""
    first = safe[0]
    known = [(price, place) for place in safe if (price := prices[place]) is not None]
    limit = prices[first]
    if not known or limit is None:
        return first
    price, place = min(known)
    return place if price < CHEAPER * limit else first
