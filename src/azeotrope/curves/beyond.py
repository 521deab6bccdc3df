"""How drawn curves go on beyond the sizes seen: with one decay for all arms, a little of their own, and a drift.

On real learning curves "the difference at the largest size stays" was the better forecast at two and four times the
data, for laws of two arms part company on the slightest difference of slope. So arms mostly share the mean of their
decays, which keeps the ratio of their errors, and each drifts away from it the further it goes: more where its seeds
differ, where it still moved over the last doubling, and where arms are far apart. It fits nothing.
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
    much more of what the laws missed at the largest size is missed one doubling on, and from there.

    The others are the drift, as sd of log error a doubling. Of each arm alone: `least`, a multiple `of_noise` of the sd
    that seeds give its mean at the largest size, and `of_move` of what it moved over the last doubling. Of arms apart:
    `of_gap` of their log ratio. Of all arms together: a multiple `of_decay` of their shared decay.

    The values are those that foresee LCDB best, and are derived anew, with data sets left out, by `python
    benchmarks/lcdb.py --calibrate`.
    """

    own_way: float = 0.2
    heading: float = 0.2
    least: float = 0.002
    of_noise: float = 0.36
    of_move: float = 0.22
    of_gap: float = 0.18
    of_decay: float = 0.33


ONE_LAW = Rates(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""A law that was named is taken at its word."""


@dataclass(frozen=True)
class Onward:
    """What R draws of K arms do beyond the data. `largest` [K]: where each arm's sizes end, infinite for a level arm;
    `noise` and `move` [K]: see `Rates`. Student's t of unit scale, one scale a draw: `drift` [K, R] of each arm,
    `common` [R] of all, `stretch` [R] of their gaps.
    """

    largest: Floats
    noise: Floats
    move: Floats
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
        squared = rates.least**2 + (rates.of_noise * self.noise) ** 2 + (rates.of_move * self.move) ** 2
        return np.asarray(np.where(self.curved, np.sqrt(squared), 0.0))

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
        change += rates.heading * missed[:, :, None] * np.minimum(doublings, 1.0)
        if drifting:
            drift = self.spread[:, None] * self.drift + rates.of_gap * self.gap(path) * self.stretch
            change += drift[:, :, None] * doublings
            change += rates.of_decay * np.abs(shared) * self.common[:, None]
        found[..., out] = np.where(doublings > 0, last[:, :, None] + change, at)
        return found

    def shared(self, path: Floats, sizes: Floats) -> Floats:
        """Mean change of log error of all curves since each arm's largest size, [K, R, g]."""
        return self._shared(path[..., : len(sizes)], path[..., len(sizes) :])

    def _shared(self, at: Floats, ends: Floats) -> Floats:
        return np.asarray(at[self.curved].mean(axis=0) - ends[self.curved].mean(axis=0).T[:, :, None])

    def gap(self, path: Floats) -> Floats:
        """Log error of each arm over the mean of all, at its largest size: [K, R]."""
        ends = path[..., -len(self.largest) :]
        return np.asarray(np.einsum("krk->kr", ends) - ends.mean(axis=0).T)


def onward(
    largest: Floats, noise: Floats, move: Floats, draws: int, generator: np.random.Generator, rates: Rates
) -> Onward:
    """What `draws` draws do beyond the data."""
    scale = np.sqrt(FREEDOM / generator.chisquare(FREEDOM, size=draws))
    unit = scale * generator.standard_normal((len(largest) + 2, draws))
    return Onward(largest, noise, move, unit[2:], unit[0], unit[1], rates)
