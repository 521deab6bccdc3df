"""How drawn curves go on beyond the sizes seen: with one decay for all arms, a little of their own, and a drift.

On real learning curves "the difference at the largest size stays" was the better forecast at two and four times the
data, for laws of two arms part company on the slightest difference of slope. So arms mostly share the mean of their
decays, which keeps the ratio of their errors, and each drifts away from it the further it goes: more where its seeds
differ, where it still moved over the last doubling, where the laws did not foresee its own largest sizes, and where
arms are far apart. It fits nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

FREEDOM = 3
"""Of the Student's t by which curves drift: a few real curves turn sharply."""


@dataclass(frozen=True)
class Rates:
    """`own_way`: share of an arm's own decay that it keeps where that differs from the mean of all arms. `heading`: how
    much more of what the laws missed over the last doubling is missed one doubling on, and from there. `apart`: share
    of what draws differ by in their decay that is kept; none, for the drift was derived from all that is missed.

    The others are the drift, as sd of log error a doubling. Of each arm alone: `least`, a multiple `of_noise` of the sd
    that seeds give its mean at the largest size, and `of_turn` of the geometric mean of what it moved over the last
    doubling and what the laws missed of its largest sizes where these were hidden from them. Of arms apart: `of_gap` of
    their log ratio. Of all arms together, growing with the root of the doublings: a multiple `of_hidden` of what the
    laws so missed.

    The values are those that foresee LCDB best; the drift is derived anew, with data sets left out, by `python
    benchmarks/lcdb.py --calibrate`.
    """

    own_way: float = 0.2
    heading: float = 0.2
    apart: float = 0.0
    least: float = 0.0027
    of_noise: float = 0.54
    of_turn: float = 0.45
    of_gap: float = 0.21
    of_hidden: float = 0.43


ONE_LAW = Rates(1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""A law that was named is taken at its word."""


@dataclass(frozen=True)
class AtTheEnd:
    """Of each arm [K] at its largest size, in log error: the sd by which its seeds move the mean (`noise`), how far
    that `moved` over the last doubling, and what the laws missed of the largest sizes when these were `hidden` from
    them; 0 for a level arm. With too few sizes to hide any, as much is taken to be missed as moved.
    """

    noise: Floats
    moved: Floats
    hidden: Floats


@dataclass(frozen=True)
class Onward:
    """What R draws of K arms do beyond the data. `largest` [K]: where each arm's sizes end, infinite for a level arm;
    `there` says what each does where they end. Student's t of unit scale, one scale a draw: `drift` [K, R] of each arm,
    `common` [R] of all, `stretch` [R] of their gaps.
    """

    largest: Floats
    there: AtTheEnd
    drift: Floats
    common: Floats
    stretch: Floats
    rates: Rates

    @property
    def curved(self) -> NDArray[np.bool_]:
        """The arms that have a curve, [K]."""
        return np.isfinite(self.largest)

    @property
    def ends(self) -> Floats:
        """Sizes [K] at which `of` must know every arm besides those it is asked for; 1 for a level arm, not used."""
        return np.where(self.curved, self.largest, 1.0)

    @property
    def spread(self) -> Floats:
        """Each arm's own drift a doubling, as sd of log error, [K]."""
        rates = self.rates
        turn = rates.of_turn**2 * self.there.moved * self.there.hidden
        squared = rates.least**2 + (rates.of_noise * self.there.noise) ** 2 + turn
        return np.asarray(np.where(self.curved, np.sqrt(squared), 0.0))

    @property
    def together(self) -> float:
        """The drift of all arms over the first doubling, as sd of log error."""
        hidden = self.there.hidden[self.curved]
        return self.rates.of_hidden * float(np.sqrt(np.mean(hidden**2))) if len(hidden) else 0.0

    def of(self, path: Floats, missed: Floats, sizes: Floats, *, drifting: bool = True) -> Floats:
        """Log error [K, R, g] at `sizes` [g]; `path` [K, R, g + K] is that of every arm's own laws at these sizes and
        at `ends`, `missed` [K, R] what the runs are above them there. Within an arm's data its path stays as it is.
        """
        doublings = np.log2(np.maximum(sizes / self.largest[:, None], 1.0))
        out = (doublings > 0).any(axis=0)
        found, ends = path[..., : len(sizes)].copy(), path[..., len(sizes) :]
        if not out.any():
            return found
        at, last, doublings = found[..., out], np.einsum("krk->kr", ends), doublings[:, None, out]
        rates, own, shared = self.rates, at - last[:, :, None], self._shared(at, ends)
        change = shared + rates.own_way * (own - shared)
        middle = change.mean(axis=1, keepdims=True)
        change = middle + rates.apart * (change - middle)
        change += rates.heading * missed[:, :, None] * np.minimum(doublings, 1.0)
        if drifting:
            drift = self.spread[:, None] * self.drift + rates.of_gap * self.gap(path) * self.stretch
            change += drift[:, :, None] * doublings
            change += (self.together * self.common)[:, None] * np.sqrt(doublings)
        found[..., out] = np.where(doublings > 0, last[:, :, None] + change, at)
        return found

    def _shared(self, at: Floats, ends: Floats) -> Floats:
        return np.asarray(at[self.curved].mean(axis=0) - ends[self.curved].mean(axis=0).T[:, :, None])

    def gap(self, path: Floats) -> Floats:
        """Log error of each arm over the mean of all, at its largest size: [K, R]."""
        ends = path[..., -len(self.largest) :]
        return np.asarray(np.einsum("krk->kr", ends) - ends.mean(axis=0).T)


def onward(largest: Floats, there: AtTheEnd, draws: int, generator: np.random.Generator, rates: Rates) -> Onward:
    """What `draws` draws do beyond the data."""
    scale = np.sqrt(FREEDOM / generator.chisquare(FREEDOM, size=draws))
    unit = scale * generator.standard_normal((len(largest) + 2, draws))
    return Onward(largest, there, unit[2:], unit[0], unit[1], rates)
