"""How far one run's log error would move if it were made again with another seed, on the same test images.

Repeats are few in any cell, so their variance is pooled over cells by sd(log E) = s0 (E / E_ref)^p (D / D_ref)^q
(q for arms whose error stays while their seeds come together), and moderated by a prior: two seeds that happen to tie
do not make an error certain. Paired seeds give the correlation between arms and between sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
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
STRONGEST = 0.99
"""Correlations are shrunk by this factor: a few seeds show 1.0 by luck."""
USUAL_NEIGHBOURS, NEIGHBOURS_FREEDOM = 0.27, 10
"""Correlation of one seed's residuals at neighbouring sizes in the golden sweep, and the degrees of freedom
for which it counts beside what these runs show."""
MOST_NEIGHBOURS = 0.95


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

    centre, spread = np.array([np.log(usual), _POWER, 0.0]), np.array([_LEVEL_SD, _POWER_SD, _SIZE_POWER_SD])

    def cost(point: Floats) -> tuple[float, Floats]:
        """Minus the log posterior, and its slope."""
        away = point[1] * fallen + point[2] * grown
        log_sd = point[0] + np.clip(away, -_FURTHEST, _FURTHEST)
        short = variance * np.exp(-2 * log_sd)
        weak = (point - centre) / spread
        pull, free = freedom * (1 - short), np.abs(away) < _FURTHEST
        slope = np.array([pull.sum(), pull @ (fallen * free), pull @ (grown * free)]) + weak / spread
        return float((freedom * (log_sd + 0.5 * short)).sum() + 0.5 * weak @ weak), slope

    found = minimize(cost, np.array([level, _POWER, 0.0]), jac=True, method="BFGS").x
    return Noise(
        float(np.exp(found[0])), float(found[1]), reference, int(freedom.sum()), float(found[2]), size_reference
    )


def of_test_set(error: Floats, test_images: Floats) -> Floats:
    """Binomial sd of log error on that many test images, [n]."""
    return np.asarray(np.sqrt((1 - error) / (error * test_images)))


def joint_noise(
    log_error: Floats, sizes: Floats, by_arm: Sequence[Noise | None], *, paired: bool
) -> tuple[Floats | None, int]:
    """Covariance [n, K, K] of single runs around their cells, and the fewest degrees of freedom of an arm."""
    found = [noise for noise in by_arm if noise is not None]
    if len(found) < len(by_arm):
        return None, 0
    error = np.exp(mean_known(log_error))
    sd = np.array(
        [
            np.where(np.isnan(level), noise.at_reference, noise.of_run(level, sizes))
            for noise, level in zip(found, error, strict=True)
        ]
    )
    correlation = _between_arms(log_error / sd[..., None], paired=paired)
    return np.einsum("in,jn,ij->nij", sd, sd, correlation), min(noise.freedom for noise in found)


def neighbours(log_error: Floats, level: Sequence[bool]) -> float:
    """Correlation of one seed's residuals at neighbouring sizes, drawn towards the usual one when runs are few."""
    curved = log_error[~np.array(level)]
    residual = curved - mean_known(curved)[..., None]
    before, after = residual[:, :-1], residual[:, 1:]
    both = ~np.isnan(before) & ~np.isnan(after)
    product = np.where(both, before * after, 0.0).sum()
    length = np.sqrt(np.where(both, before**2, 0.0).sum() * np.where(both, after**2, 0.0).sum())
    freedom = max(0, int(both.sum()) - int(both.any(axis=2).sum()))
    shown = product / length if length > 0 else USUAL_NEIGHBOURS
    mixed = (freedom * shown + NEIGHBOURS_FREEDOM * USUAL_NEIGHBOURS) / (freedom + NEIGHBOURS_FREEDOM)
    return float(np.clip(mixed, 0.0, MOST_NEIGHBOURS))


def _between_arms(standardised: Floats, *, paired: bool) -> Floats:
    """Correlation [K, K] of runs [K, n, m] of unit noise around their cells, from seeds that every arm has."""
    together = np.where(np.isnan(standardised).any(axis=0), np.nan, standardised)
    around = np.nan_to_num(together - mean_known(together)[..., None]).reshape(len(standardised), -1)
    return correlation(around) if paired else np.eye(len(standardised))


def correlation(residuals: Floats) -> Floats:
    """Correlation [K, K] of residuals [K, n] that have mean zero by construction; none where they vanish."""
    length = np.sqrt((residuals**2).sum(axis=1))
    if (length == 0).any():
        return np.eye(len(residuals))
    found = STRONGEST * (residuals @ residuals.T) / np.outer(length, length)  # shrunk, not clipped: stays definite
    return np.where(np.eye(len(found), dtype=bool), 1.0, found)


def mean_known(values: Floats) -> Floats:
    """Mean over the last axis without NaN; NaN where all are."""
    count = (~np.isnan(values)).sum(axis=-1)
    return np.where(count > 0, np.nansum(values, axis=-1) / np.maximum(count, 1), np.nan)
