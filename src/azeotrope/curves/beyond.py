"""How drawn curves go on beyond the sizes seen: as a law says, in parallel, or not at all.

On real learning curves "the difference at the largest size stays" was the better forecast at two and four times the
data (docs/method.md), for laws of two arms part company on the slightest difference of slope. So some draws keep the
ratio of the arms and let them share one decay, some let each arm stay where it is, and all of them wander the further
they go. The shares and the wandering were chosen on LCDB by leaving data sets out (`benchmarks/lcdb.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

OWN_WAY, IN_PARALLEL, STAYS = 0.15, 0.8, 0.05
"""Shares of draws in which each arm follows its own law, all arms share their mean decay, or an arm stays."""
WANDER, OF_FALL = 0.015, 0.45
"""Spread of an arm's log error at twice its largest size: a constant, and a share of how far the laws say it falls."""
GROWTH = 1.0
"""The spread grows with this power of the number of doublings."""
FREEDOM = 4
"""Of the Student's t by which curves wander: a few real curves turn sharply."""


@dataclass(frozen=True)
class Onward:
    """What R draws of K arms do beyond the data. `parallel` [R]: arms share their decay; `stays` [K, R]: an arm keeps
    its error; `wander` [K, R]: its drift in units of its spread; `curved` [K]: arms that have a curve; `fall` [K]: how
    far the laws say its log error falls from the largest size to twice that.
    """

    parallel: NDArray[np.bool_]
    stays: NDArray[np.bool_]
    wander: Floats
    curved: NDArray[np.bool_]
    fall: Floats

    def of(self, gone: Floats, reach: Floats) -> Floats:
        """Change of log error [K, R, g] since the largest size, from what the laws say of it, `gone` [K, R, g], and the
        log of how many times the largest size it is, `reach` [K, g].
        """
        shared = gone[self.curved].mean(axis=0) if self.curved.any() else gone[0]
        together = self.parallel[None, :, None] & self.curved[:, None, None]
        change = np.where(together, shared, gone)
        change = np.where(self.stays[:, :, None], 0.0, change)
        grows = (WANDER + OF_FALL * self.fall)[:, None] * (reach / np.log(2)) ** GROWTH
        return np.asarray(change + self.wander[:, :, None] * grows[:, None, :])


def onward(curved: NDArray[np.bool_], draws: int, generator: np.random.Generator, *, one_law: bool = False) -> Onward:
    """What `draws` draws do beyond the data; with `one_law`, what that law says and no more."""
    way = generator.choice(3, size=draws, p=(1, 0, 0) if one_law else (OWN_WAY, IN_PARALLEL, STAYS))
    own = generator.standard_t(FREEDOM, size=(len(curved), draws)) * (not one_law)
    return Onward(way == 1, np.broadcast_to(way == 2, own.shape), own, curved, np.zeros(len(curved)))
