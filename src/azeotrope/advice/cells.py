"""The runs of one or two arms as cells of log error, with the noise that their seeds show (METHOD 7, steps 1 and 2).

Paired seeds share subset, order and views, so the noise of two arms is correlated; that correlation is what makes a
difference sharper than either error. It is taken as equal at all sizes, and seeds as independent between sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.fitting.cells import Cells
from azeotrope.record.frame import RunFrame

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class JointCells:
    """K arms at n sizes. `log_error` [K, n, m] by replicate (m of them), NaN where there is no run.

    `noise` [K, K] is the covariance of one run's log error around its cell, pooled over sizes, with `freedom` degrees;
    None when no cell has two seeds.
    """

    arms: tuple[str, ...]
    sizes: Floats
    log_error: Floats
    noise: Floats | None
    freedom: int
    chance: float | None

    @property
    def runs(self) -> NDArray[np.int64]:
        """Runs in each cell, [K, n]."""
        return np.asarray((~np.isnan(self.log_error)).sum(axis=2))

    @property
    def mean(self) -> Floats:
        """Mean log error of each cell, [K, n]; NaN where an arm has no run."""
        return _mean(self.log_error)

    @property
    def common(self) -> NDArray[np.bool_]:
        """Sizes at which every arm has runs, [n]."""
        return np.asarray((self.runs > 0).all(axis=0))

    def noise_of_means(self) -> Floats | None:
        """Covariance of the cell means, [n, K, K]: a seed that two arms share adds to their covariance."""
        if self.noise is None:
            return None
        present = (~np.isnan(self.log_error)).astype(float)
        shared = np.einsum("inr,jnr->nij", present, present)
        count = np.maximum(self.runs.T, 1)
        return np.asarray(self.noise * shared / (count[:, :, None] * count[:, None, :]))

    def curve(self, arm: int) -> Cells:
        """One arm's cells as `fitting` takes them."""
        there = self.runs[arm] > 0
        count = self.runs[arm, there]
        sd = np.sqrt(self.noise[arm, arm] / count) if self.noise is not None else np.zeros(len(count))
        return Cells(self.sizes[there][None], np.exp(self.mean[arm, there]), count, sd, self.chance)


def joint_cells(frames: Sequence[RunFrame], axis: str) -> JointCells:
    """The cells of one or two arms along `axis`; replicates are paired by seed where seeds are known.

    Sizes of zero have no place on a log axis and are left out.
    """
    tables = [frame.table.filter(pl.col(axis) > 0) for frame in frames]
    sizes = np.unique(np.concatenate([table[axis].to_numpy() for table in tables]))
    replicates = np.unique(np.concatenate([table["replicate"].to_numpy() for table in tables]))
    log_error = np.full((len(tables), len(sizes), len(replicates)), np.nan)
    for arm, table in enumerate(tables):
        place = (
            np.searchsorted(sizes, table[axis].to_numpy()),
            np.searchsorted(replicates, table["replicate"].to_numpy()),
        )
        log_error[arm, *place] = np.log(table["error"].to_numpy())
    noise, freedom = _pooled_noise(log_error, paired=all(frame.paired for frame in frames))
    names = tuple(frame.groups[0] for frame in frames)
    return JointCells(names, sizes, log_error, noise, freedom, frames[0].chance_error)


def _pooled_noise(log_error: Floats, *, paired: bool) -> tuple[Floats | None, int]:
    """Covariance [K, K] of single runs around their cells, and the fewest degrees of freedom of an arm.

    Variances come from each arm's own runs, the correlation from seeds that all arms have.
    """
    residuals, freedoms = zip(*(_around_cells(arm) for arm in log_error), strict=True)
    if min(freedoms) < 1:
        return None, 0
    sd = np.sqrt([np.nansum(r**2) / f for r, f in zip(residuals, freedoms, strict=True)])
    return sd[:, None] * sd[None, :] * _correlation(log_error, paired=paired), min(freedoms)


def _correlation(log_error: Floats, *, paired: bool) -> Floats:
    together = np.where(np.isnan(log_error).any(axis=0), np.nan, log_error)
    centred = np.nan_to_num(together - _mean(together)[..., None]).reshape(len(log_error), -1)
    length = np.sqrt((centred**2).sum(axis=1))
    if not paired or (length == 0).any():
        return np.eye(len(log_error))
    found = centred @ centred.T / length[:, None] / length[None, :]
    return np.where(np.eye(len(found), dtype=bool), 1.0, np.clip(found, -0.99, 0.99))


def _around_cells(arm: Floats) -> tuple[Floats, int]:
    """Residuals [n, m] of one arm around its cell means, and their degrees of freedom."""
    count = (~np.isnan(arm)).sum(axis=1)
    return arm - _mean(arm)[:, None], int(np.maximum(count - 1, 0).sum())


def _mean(values: Floats) -> Floats:
    """Mean over the last axis without NaN; NaN where all are."""
    count = (~np.isnan(values)).sum(axis=-1)
    return np.where(count > 0, np.nansum(values, axis=-1) / np.maximum(count, 1), np.nan)
