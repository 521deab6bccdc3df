"""Runs as cells of log error, with the noise that their seeds show: of one arm over sizes, or of a few arms together.

One cell a configuration: its runs averaged in log error. Paired seeds share subset, order and views, so the noise of
two arms is correlated; that correlation is what makes a difference sharper than either error. A seed is also shared by
sizes (nested subsets), and the test images by all runs. `tables/frame.py` reads and checks the runs, `noise.py` and
`image_sampling.py` estimate what moves the cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.curves.image_sampling import SHARED_ANSWERS, ImageNoise, image_noise
from azeotrope.curves.level import at_all, is_level
from azeotrope.curves.noise import Noise, joint_noise, mean_known, neighbours, of_test_set, pooled
from azeotrope.errors import InputError
from azeotrope.tables.frame import RunFrame

Floats: TypeAlias = NDArray[np.float64]

MOST_CELLS = 2000
"""Arms times sizes: their joint covariance is factored, which takes seconds at this number and minutes at thrice it."""


@dataclass(frozen=True)
class Cells:
    """n cells. `x` [axes, n] in the user's units, `error` [n] geometric mean, `runs` [n], `noise` [n] sd of its log
    (0: not known).
    """

    x: Floats
    error: Floats
    runs: NDArray[np.int64]
    noise: Floats
    chance: float | None = None

    @property
    def sizes(self) -> Floats:
        """Distinct sizes along the last axis, ascending: the one that predictions reach out along."""
        return np.unique(self.x[-1])

    def where(self, rows: NDArray[np.bool_]) -> Cells:
        """Some of the cells."""
        return Cells(self.x[:, rows], self.error[rows], self.runs[rows], self.noise[rows], self.chance)


def plain(x: Floats, error: Floats, chance: float | None = None) -> Cells:
    """One run a cell, noise unknown: `x` [n] or [axes, n]."""
    return Cells(np.atleast_2d(x), error, np.ones(len(error), dtype=np.int64), np.zeros(len(error)), chance)


@dataclass(frozen=True)
class JointCells:
    """K arms at n sizes of one axis. `log_error` [K, n, m] by replicate (m of them), NaN where there is no run.

    `noise` [n, K, K] is the covariance of one run's log error around its cell; None when some arm has no cell with two
    seeds. It has `freedom` degrees, fewer where sizes share seeds: residuals of one seed correlate by `neighbours` at
    neighbouring sizes, and by its powers further apart. `tested` is what the test images add to the cell means. `level`
    arms do not use the axis and have the same runs at every size. `chance` is 1 where a share's number of classes is
    not known, None for a loss.
    """

    arms: tuple[str, ...]
    sizes: Floats
    log_error: Floats
    noise: Floats | None
    freedom: int
    chance: float | None
    level: tuple[bool, ...]
    neighbours: float
    tested: ImageNoise

    @property
    def runs(self) -> NDArray[np.int64]:
        """Runs in each cell, [K, n]."""
        return np.asarray((~np.isnan(self.log_error)).sum(axis=2))

    @property
    def mean(self) -> Floats:
        """Mean log error of each cell, [K, n]; NaN where an arm has no run."""
        return mean_known(self.log_error)

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
        every = np.eye(len(self.arms)) * (
            shared == 0
        )  # a cell without runs moves nothing; it only must not be singular
        return np.asarray(self.noise * (shared + every) / (count[:, :, None] * count[:, None, :]))

    def covariance(self) -> Floats:
        """Covariance of the cell means by seeds, [K, n, K, n]; zeros where no arm was repeated."""
        k, n = self.mean.shape
        noise = self.noise_of_means()
        if noise is None:
            return np.zeros((k, n, k, n))
        sd = np.sqrt(np.einsum("nkk->kn", noise))
        related = noise / np.maximum(sd.T[:, :, None] * sd.T[:, None, :], 1e-300)
        between_arms = (related[:, None] + related[None]) / 2  # [n, n, K, K], that of the two sizes
        apart = self.neighbours ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        flat = np.array(self.level)
        by_size = np.where((flat[:, None] & flat)[None, None], 1.0, apart[:, :, None, None])
        full = np.einsum("nmij,nmij->inmj", between_arms, by_size).swapaxes(2, 3)
        return np.asarray(full * sd[:, :, None, None] * sd)

    def only(self, arms: Sequence[int]) -> JointCells:
        """The same cells of some arms."""
        chosen = list(arms)
        return replace(
            self,
            arms=tuple(self.arms[arm] for arm in chosen),
            log_error=self.log_error[chosen],
            noise=None if self.noise is None else self.noise[:, chosen][:, :, chosen],
            level=tuple(self.level[arm] for arm in chosen),
            tested=self.tested.only(chosen),
        )

    def curve(self, arm: int) -> Cells:
        """One arm's cells, as a law is fitted to them."""
        there = self.runs[arm] > 0
        count = self.runs[arm, there]
        variance = self.noise[there, arm, arm] / count if self.noise is not None else np.zeros(len(count))
        if self.noise is not None:  # what all sizes share moves the curve, and bends nothing
            own = np.einsum("nn->n", self.tested.covariance[arm, :, arm])[there]
            variance = variance + (1 - self.tested.shared) * own
        return Cells(self.sizes[there][None], np.exp(self.mean[arm, there]), count, np.sqrt(variance), self.chance)


def surface_cells(frame: RunFrame, axes: Sequence[str]) -> Cells:
    """The cells of one group over several `axes` (data last). Rows with no pretraining are kept; a law that cannot
    take them refuses.
    """
    log_error = pl.col("error").log()
    table = (
        frame.table.group_by(*axes)
        .agg(
            log_error.mean().alias("mean"),
            log_error.var().fill_null(0.0).alias("variance"),
            pl.len().alias("runs"),
            pl.col("test_images").mean(),
        )
        .sort(*reversed(axes))
    )
    error, runs = np.exp(table["mean"].to_numpy()), table["runs"].to_numpy().astype(np.int64)
    repeated = pooled(error, table["variance"].to_numpy(), (runs - 1).astype(float))
    variance = np.zeros(len(runs)) if repeated is None else repeated.of_run(error) ** 2 / runs
    if frame.bounded:
        images = table["test_images"].fill_null(np.inf).to_numpy()  # where it is not known, it adds nothing
        shows = (error * images >= 1) & (repeated is not None)  # what a run gets wrong alone, in the scatter of repeats
        variance = variance + np.where(shows, SHARED_ANSWERS, 1.0) * of_test_set(error, images) ** 2
    return Cells(table.select(axes).to_numpy().T.astype(float), error, runs, np.sqrt(variance), frame.chance_error)


def joint_cells(frames: Sequence[RunFrame], axis: str) -> JointCells:
    """The cells of the arms along `axis`; replicates are paired by seed where seeds are known.

    Sizes of zero have no place on a log axis and are left out, except of arms that use none of the axis at all: these
    stand at every size. Raises InputError for more than `MOST_CELLS` cells.
    """
    level = tuple(is_level(frame, axis) for frame in frames)
    sizes = np.unique(np.concatenate([frame.table[axis].to_numpy() for frame in frames]))
    sizes = sizes[sizes > 0]
    if len(frames) * len(sizes) > MOST_CELLS:
        raise InputError(
            f"Curves are drawn together over at most {MOST_CELLS:,} cells, arms times sizes",
            found=f"{len(frames)} arms at {len(sizes):,} sizes of {axis}",
            allowed="sizes that runs share: seven, log-spaced, are ideal",
            next_step=f"round {axis} to one or two digits, so that runs of nearly one size share it",
        )
    tables = [
        at_all(frame.table, axis, sizes.tolist()) if flat else frame.table.filter(pl.col(axis) > 0)
        for frame, flat in zip(frames, level, strict=True)
    ]
    replicates = np.unique(np.concatenate([table["replicate"].to_numpy() for table in tables]))
    log_error = np.full((len(tables), len(sizes), len(replicates)), np.nan)
    for arm, table in enumerate(tables):
        size, replicate = table[axis].to_numpy(), table["replicate"].to_numpy()
        place = np.searchsorted(sizes, size), np.searchsorted(replicates, replicate)
        log_error[arm, *place] = np.log(table["error"].to_numpy())
    paired = all(frame.paired for frame in frames)
    shown = [arm[:1] if flat else arm for arm, flat in zip(log_error, level, strict=True)]
    found = [_pooled(arm, table, sizes) for arm, table in zip(shown, tables, strict=True)]
    related = neighbours(log_error, level) if paired else 0.0
    found = [_told_apart(each, arm, related) for each, arm in zip(found, shown, strict=True)]
    noise, freedom = joint_noise(log_error, sizes, found, paired=paired)
    names = tuple(frame.groups[0] for frame in frames)
    chance = frames[0].chance_error or (1.0 if frames[0].bounded else None)
    tested = image_noise(tables, axis, sizes, mean_known(log_error), repeated=noise is not None)
    return JointCells(names, sizes, log_error, noise, freedom, chance, level, related, tested)


def _told_apart(noise: Noise | None, arm: Floats, related: float) -> Noise | None:
    """The noise of an arm [n, m] with the degrees of freedom that are left where repeats of several sizes share seeds:
    their residuals correlate by `related` at neighbouring sizes (Bayley & Hammersley 1946).
    """
    if noise is None or ((~np.isnan(arm)).sum(axis=1) > 1).sum() < 2:
        return noise
    return replace(noise, freedom=max(1, round(noise.freedom * (1 - related**2) / (1 + related**2))))


def _pooled(arm: Floats, table: pl.DataFrame, sizes: Floats) -> Noise | None:
    """Noise of one arm [n, m], its variance pooled over sizes."""
    freedom = np.maximum((~np.isnan(arm)).sum(axis=1) - 1, 0)
    squares = np.nansum((arm - mean_known(arm)[:, None]) ** 2, axis=1)
    images = table["test_images"].mean()
    return pooled(
        np.exp(mean_known(arm)),
        squares / np.maximum(freedom, 1),
        freedom,
        float(images) if isinstance(images, int | float) else None,
        sizes if len(arm) == len(sizes) else None,
    )
