"""How far one run's log error would move if it were made again with another seed, on the same test images.

Repeats are few in any cell, so their variance is pooled over cells by sd(log E) = s0 (E / E_ref)^p (D / D_ref)^q
(q for arms whose error stays while their seeds come together), and moderated by a prior: two seeds that happen to tie
do not make an error certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from azeotrope.laws._law import Floats

_POWER, _POWER_SD = -0.5, 1.5
"""Weak prior on p: the binomial's −½, for designs whose cells cannot tell. At ±0.5 it was too sure."""
_SIZE_POWER_SD = 0.25
"""Weak prior on q, around 0."""
_FURTHEST = 1.5
"""No cell's sd is more than a factor e^1.5 from the pooled one: where errors span decades, powers of them run away."""
_LEVEL_SD = 0.7
"""Of the prior on log s0: two repeats that tie lower it to 0.4 of the usual, a dozen decide alone."""
USUAL_SPREAD = 0.03
"""Centre of the prior on s0 where the number of test images is not known; else it is the binomial's."""


@dataclass(frozen=True)
class Noise:
    """sd of one run's log error as a function of error and size; `freedom` is the number of repeats it rests on."""

    at_reference: float
    power: float
    reference: float
    freedom: int
    size_power: float = 0.0
    size_reference: float = 1.0

    def of_run(self, error: Floats, size: Floats | float = 1.0) -> Floats:
        """Sd of log error of one run, [n]."""
        away = self.power * np.log(error / self.reference) + self.size_power * np.log(size / self.size_reference)
        return np.asarray(self.at_reference * np.exp(np.clip(away, -_FURTHEST, _FURTHEST)))


def pooled(
    error: Floats,
    variance: Floats,
    freedom: Floats,
    test_images: float | None = None,
    sizes: Floats | None = None,
) -> Noise | None:
    """Noise from cells' mean errors, variances of log error, degrees of freedom and `sizes`, [cells] each; None without
    repeats.
    """
    seen = freedom > 0
    if not seen.any():
        return None
    error, variance, freedom = error[seen], variance[seen], freedom[seen]
    reference = float(np.exp(np.log(error).mean()))
    size_reference = 1.0 if sizes is None else float(np.exp(np.log(sizes[seen]).mean()))
    fallen = np.log(error / reference)
    grown = np.zeros(len(error)) if sizes is None else np.log(sizes[seen] / size_reference)
    usual = float(of_test_set(np.array(min(reference, 0.5)), np.array(test_images))) if test_images else USUAL_SPREAD
    level = 0.5 * np.log((np.dot(variance, freedom) + usual**2) / (freedom.sum() + 1))

    def cost(point: Floats) -> float:
        log_sd = point[0] + np.clip(point[1] * fallen + point[2] * grown, -_FURTHEST, _FURTHEST)
        likelihood = freedom * (log_sd + 0.5 * variance * np.exp(-2 * log_sd))
        weak = ((point[0] - np.log(usual)) / _LEVEL_SD) ** 2
        weak += ((point[1] - _POWER) / _POWER_SD) ** 2 + (point[2] / _SIZE_POWER_SD) ** 2
        return float(likelihood.sum() + 0.5 * weak)

    found = minimize(cost, np.array([level, _POWER, 0.0]), method="BFGS").x
    return Noise(
        float(np.exp(found[0])), float(found[1]), reference, int(freedom.sum()), float(found[2]), size_reference
    )


def of_test_set(error: Floats, test_images: Floats) -> Floats:
    """Binomial sd of log error on that many test images, [n]."""
    return np.asarray(np.sqrt((1 - error) / (error * test_images)))
