"""How far a cell's mean log error would move if its runs were made again: seed and subset from repeats, test set from
its size.

Repeats are few in any cell, so their variance is pooled over cells by sd(log E) = s0 (E / E_ref)^p (METHOD section
6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from azeotrope.laws._law import Floats

_POWER, _POWER_SD = -0.5, 0.5
"""Weak prior on p: the binomial's −½, for designs whose cells cannot tell."""


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


def pooled(error: Floats, variance: Floats, freedom: Floats) -> Noise | None:
    """Noise from cells' mean errors, variances of log error and degrees of freedom, [cells] each; None without
    repeats.
    """
    seen = freedom > 0
    if not seen.any() or variance[seen].max() == 0:
        return None
    error, variance, freedom = error[seen], variance[seen], freedom[seen]
    reference = float(np.exp(np.log(error).mean()))
    size = np.log(error / reference)
    level = 0.5 * np.log(np.average(variance, weights=freedom))

    def cost(point: Floats) -> float:
        log_sd = point[0] + point[1] * size
        likelihood = freedom * (log_sd + 0.5 * variance * np.exp(-2 * log_sd))
        return float(likelihood.sum() + 0.5 * ((point[1] - _POWER) / _POWER_SD) ** 2)

    found = minimize(cost, np.array([level, _POWER]), method="BFGS").x
    return Noise(float(np.exp(found[0])), float(found[1]), reference, int(freedom.sum()))


def of_test_set(error: Floats, test_images: Floats) -> Floats:
    """Binomial sd of log error on that many test images, [n]."""
    return np.asarray(np.sqrt((1 - error) / (error * test_images)))
