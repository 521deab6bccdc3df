"""How far one run's log error would move if it were made again with another seed, on the same test images.

Repeats are few in any cell, so their variance is pooled over cells by sd(log E) = s0 (E / E_ref)^p (METHOD section 6),
and moderated by a prior (Smyth 2004): two seeds that happen to tie do not make an error certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from azeotrope.laws._law import Floats

_POWER, _POWER_SD = -0.5, 1.5
"""Weak prior on p: the binomial's −½, for designs whose cells cannot tell. At ±0.5 it was too sure (METHOD 12)."""
PRIOR_FREEDOM = 4
"""Degrees of freedom that the prior on s0 is worth: as much as two cells of three seeds."""
USUAL_SPREAD = 0.03
"""Centre of the prior on s0 where the number of test images is not known; else it is the binomial's."""


@dataclass(frozen=True)
class Noise:
    """sd of one run's log error as a function of error; `freedom` is the number of repeats it rests on."""

    at_reference: float
    power: float
    reference: float
    freedom: int

    def of_run(self, error: Floats) -> Floats:
        """Sd of log error of one run, [n]."""
        return np.asarray(self.at_reference * (error / self.reference) ** self.power)


def pooled(error: Floats, variance: Floats, freedom: Floats, test_images: float | None = None) -> Noise | None:
    """Noise from cells' mean errors, variances of log error and degrees of freedom, [cells] each; None without
    repeats.
    """
    seen = freedom > 0
    if not seen.any():
        return None
    error, variance, freedom = error[seen], variance[seen], freedom[seen]
    reference = float(np.exp(np.log(error).mean()))
    size = np.log(error / reference)
    usual = float(of_test_set(np.array(min(reference, 0.5)), np.array(test_images))) if test_images else USUAL_SPREAD
    level = 0.5 * np.log((np.dot(variance, freedom) + PRIOR_FREEDOM * usual**2) / (freedom.sum() + PRIOR_FREEDOM))

    def cost(point: Floats) -> float:
        log_sd = point[0] + point[1] * size
        likelihood = freedom * (log_sd + 0.5 * variance * np.exp(-2 * log_sd))
        prior = PRIOR_FREEDOM * (point[0] + 0.5 * usual**2 * np.exp(-2 * point[0]))
        return float(likelihood.sum() + prior + 0.5 * ((point[1] - _POWER) / _POWER_SD) ** 2)

    found = minimize(cost, np.array([level, _POWER]), method="BFGS").x
    return Noise(float(np.exp(found[0])), float(found[1]), reference, int(freedom.sum()))


def of_test_set(error: Floats, test_images: Floats) -> Floats:
    """Binomial sd of log error on that many test images, [n]."""
    return np.asarray(np.sqrt((1 - error) / (error * test_images)))
