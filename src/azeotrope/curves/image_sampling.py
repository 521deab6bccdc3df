"""How far the cells' log errors would move together if the test images were drawn again.

All runs of a study answer the same test images, so what two cells get wrong together cancels in their difference. What
one run gets wrong alone is no part of it: the runs of a cell scatter by that, and `noise.py` has counted it there. The
stored answers (`correct`) say how much runs of different seeds share; without them the binomial and an assumed share
stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from azeotrope.curves.noise import of_test_set
from azeotrope.laws._law import Floats
from azeotrope.record.bits import unpack_correct
from azeotrope.record.clusters import by_class, by_cluster, hidden_variance, unpack_clusters
from azeotrope.tables.columns import CLUSTERS, CORRECT, TEST_CLASSES

SHARED_ANSWERS, SHARED_BETWEEN = 0.69, 0.65
"""Correlation of the answers of two runs of different seeds where none are stored: of one cell, and of two. Measured on
the 126 runs of Fashion-MNIST in `tests/golden`, mean of two students: 0.69 in a cell, 0.68 between arms at one size,
0.64 between sizes of an arm, 0.63 between both. The 72 runs there of another recipe have 0.50 to 0.53."""

Counted = Literal["answers", "test_images", "missing"]


@dataclass(frozen=True)
class ImageNoise:
    """`covariance` [K, n, K, n] of the cells' mean log errors; `counted`: from stored answers, from the number of test
    images, or not at all (zeros). `shared`: the mean correlation between the cells.
    """

    covariance: Floats
    counted: Counted
    shared: float

    def only(self, arms: Sequence[int]) -> ImageNoise:
        """The same of some arms."""
        chosen = list(arms)
        return ImageNoise(self.covariance[chosen][:, :, chosen], self.counted, self.shared)


def image_noise(
    tables: Sequence[pl.DataFrame], axis: str, sizes: Floats, mean: Floats, *, repeated: bool
) -> ImageNoise:
    """The noise of the cells at `sizes` [n], of which `mean` [K, n] are the mean log errors (NaN: no runs).

    `repeated`: every arm has repeats, so the noise of seeds holds what a run gets wrong alone. Else it counts here. A
    cell of which no run says how many test images it had adds nothing.
    """
    if all(table["test_images"].null_count() == table.height for table in tables):
        return ImageNoise(np.zeros((*mean.shape, *mean.shape)), "missing", 0.0)
    error = np.exp(np.where(np.isnan(mean), 0.0, mean))
    answers = _answers(tables, axis, sizes)
    if answers is None:
        images = np.array([[_images(table, axis, size) for size in sizes] for table in tables])
        sd = np.where(np.isnan(mean), 0.0, of_test_set(np.minimum(error, 1 - 0.5 / (images + 1)), images)).ravel()
        shows = (error * images).ravel() >= 1  # without a wrong answer repeats show nothing
        own = np.where(shows & repeated, SHARED_ANSWERS, 1.0)
        covariance = np.outer(sd, sd) * np.where(np.eye(mean.size, dtype=bool), own, SHARED_BETWEEN)
    else:
        covariance = answers.covariance(repeated=repeated) / np.outer(error, error)
        least = np.diag(_half_wrong(error, answers.images).ravel())
        covariance = covariance + np.where(answers.all_alike[:, None], least, 0.0)
    counted: Counted = "test_images" if answers is None else "answers"
    return ImageNoise(covariance.reshape(*mean.shape, *mean.shape), counted, _shared(covariance))


@dataclass(frozen=True)
class _Answers:
    """Sums over the answers of q cells. `products` [q, q] of the cells' sums over runs and `of_one_seed` [q, q] of runs
    of one seed only, both around their means, as variances of a mean over the images; `runs` [q] in each cell, `both`
    [q, q] seeds that two cells have. `hidden` [q] is the variance that classes without spread hide.
    """

    products: Floats
    of_one_seed: Floats
    runs: Floats
    both: Floats
    hidden: Floats
    images: int

    @property
    def all_alike(self) -> NDArray[np.bool_]:
        """Cells whose runs answer all images alike, [q]."""
        return np.asarray((self.runs > 0) & (np.diag(self.products) == 0) & (self.hidden == 0))

    def covariance(self, *, repeated: bool) -> Floats:
        """Covariance [q, q] of the cells' mean errors: by runs of different seeds alone, if `repeated`."""
        number = np.maximum(np.outer(self.runs, self.runs), 1)
        found = self._between_seeds() if repeated else self.products / number
        return np.asarray(found + np.diag(self.hidden))  # of each cell alone: it must not cancel

    def _between_seeds(self) -> Floats:
        """Covariance [q, q] by runs of different seeds; the usual share of the variances where two cells have none."""
        pairs = np.outer(self.runs, self.runs) - self.both
        known = pairs > 0
        found = np.where(known, (self.products - self.of_one_seed) / np.maximum(pairs, 1), 0.0)
        sd = np.sqrt(np.diag(self.of_one_seed) / np.maximum(self.runs, 1))  # of one run
        length = np.maximum(np.outer(sd, sd), 1e-300)
        usual = found[known].sum() / length[known].sum() if known.any() else SHARED_ANSWERS
        related = np.where(known, found / length, np.clip(usual, 0, 1))
        return np.asarray(_definite(related) * np.outer(sd, sd))


def _definite(related: Floats) -> Floats:
    """Correlations of runs [q, q] near these, which by luck have negative eigenvalues: no run is multiplied by itself.

    Luck makes as large ones of both signs. So all up to the size of the most negative one become their mean: cut off at
    0 alone, the others would add a third to the variance of a difference on 100 test images.
    """
    values, vectors = np.linalg.eigh(related)
    small = values <= -values[0]
    if small.any():
        values = np.where(small, max(0.0, float(values[small].mean())), values)
    return np.asarray(vectors * np.maximum(values, 0.0) @ vectors.T)


def _images(table: pl.DataFrame, axis: str, size: float) -> float:
    here = table.filter(pl.col(axis) == size)["test_images"].mean()
    return float(here) if isinstance(here, int | float) else np.inf


def _half_wrong(error: Floats, images: int) -> Floats:
    """Variance of log error where every run answered every image alike: the binomial's."""
    return np.asarray(of_test_set(np.clip(error, 0.5 / (images + 1), 1 - 0.5 / (images + 1)), np.array(images)) ** 2)


def _answers(tables: Sequence[pl.DataFrame], axis: str, sizes: Floats) -> _Answers | None:
    """What the runs get wrong, seed by seed; None unless all runs tell, of the same number of images, and
    of two or more. Where these come
    in clusters (patients), a cluster is one (`record.clusters`).
    """
    images = {value for table in tables for value in table["test_images"]}
    if len(images) > 1 or any(table[CORRECT].null_count() for table in tables):
        return None
    count, cells = int(images.pop()), len(tables) * len(sizes)
    classes, clusters = (_first(tables, column) for column in (TEST_CLASSES, CLUSTERS))
    units = count if clusters is None else int(clusters.max()) + 1
    if units < 2:
        return None
    plain, around = np.zeros((cells, count)), np.zeros((cells, units))
    of_one_seed, both, runs = np.zeros((cells, cells)), np.zeros((cells, cells)), np.zeros(cells)
    for rows in _by_seed(tables, axis, sizes).values():
        answers = [unpack_correct(bits) for bits in rows.values()]
        if any(len(answer) < count for answer in answers):
            return None
        wrong, here = 1.0 - np.array([answer[:count] for answer in answers]), list(rows)
        plain[here] += wrong
        wrong = wrong if classes is None else by_class(wrong, classes)
        wrong = wrong if clusters is None else by_cluster(wrong, clusters)
        wrong = wrong - wrong.mean(axis=1, keepdims=True)
        around[here] += wrong
        of_one_seed[np.ix_(here, here)] += wrong @ wrong.T
        both[np.ix_(here, here)] += 1
        runs[here] += 1
    hidden = np.zeros(cells)
    if classes is not None:
        hidden = np.array([hidden_variance(row, classes) for row in plain / np.maximum(runs, 1)[:, None]])
    scale = 1 / ((units - 1) * units)
    return _Answers(around @ around.T * scale, of_one_seed * scale, runs, both, hidden, units)


def _by_seed(tables: Sequence[pl.DataFrame], axis: str, sizes: Floats) -> dict[int, dict[int, str]]:
    """The stored answers of each seed by cell, cells numbered arm by arm."""
    found: dict[int, dict[int, str]] = {}
    for arm, table in enumerate(tables):
        places = arm * len(sizes) + np.searchsorted(sizes, table[axis].to_numpy())
        for place, seed, bits in zip(places.tolist(), table["replicate"], table[CORRECT], strict=True):
            found.setdefault(seed, {})[place] = bits
    return found


def _first(tables: Sequence[pl.DataFrame], column: str) -> NDArray[np.int64] | None:
    """What the first run says of its test images; all runs have the same."""
    text = next(iter(tables[0][column])) if len(tables[0]) else None
    return None if text is None else unpack_clusters(text)


def _shared(covariance: Floats) -> float:
    """Mean correlation between different cells."""
    sd = np.sqrt(np.diag(covariance))
    seen = sd > 0
    if seen.sum() < 2:
        return 0.0
    related = covariance[np.ix_(seen, seen)] / np.outer(sd[seen], sd[seen])
    return float(np.clip(related[~np.eye(seen.sum(), dtype=bool)].mean(), 0, 1))
