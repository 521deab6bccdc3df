"""How far the cells' log errors would move together if the test images were drawn again.

All runs of a study answer the same test images, so what two cells get wrong together cancels in their difference. The
stored answers (`correct`) say how much that is; without them the binomial and an assumed correlation stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from azeotrope.curves.noise import of_test_set
from azeotrope.laws._law import Floats
from azeotrope.record.bits import unpack_correct
from azeotrope.record.clusters import by_class, by_cluster, hidden_variance, unpack_clusters
from azeotrope.tables.columns import CLUSTERS, CORRECT, TEST_CLASSES

ASSUMED_CORRELATION = 0.8
"""Between any two cells without stored answers. Measured on the 126 runs of Fashion-MNIST in `tests/golden`, mean over
seeds: 0.82 between sizes of an arm, 0.89 between arms at one size, 0.80 between both."""

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


def image_noise(tables: Sequence[pl.DataFrame], axis: str, sizes: Floats, mean: Floats) -> ImageNoise:
    """The noise of the cells at `sizes` [n], of which `mean` [K, n] are the mean log errors (NaN: no runs)."""
    known = [table["test_images"].null_count() == 0 for table in tables]
    flat = mean.size
    if not all(known):
        return ImageNoise(np.zeros((*mean.shape, *mean.shape)), "missing", 0.0)
    seen = _wrong(tables, axis, sizes)
    error = np.exp(np.where(np.isnan(mean), 0.0, mean))
    if seen is not None:
        wrong, hidden = seen
        covariance = np.cov(wrong.reshape(flat, -1)) / wrong.shape[-1]
        covariance = covariance.reshape(flat, flat) + np.diag(hidden.ravel())  # of each cell alone: it must not cancel
        covariance = covariance / np.outer(error, error)
        least = np.diag(_half_wrong(error, wrong.shape[-1]).ravel())
        covariance = covariance + np.where(np.diag(covariance)[:, None] == 0, least, 0.0)
        return ImageNoise(covariance.reshape(*mean.shape, *mean.shape), "answers", _shared(covariance))
    images = np.array([[_images(table, axis, size) for size in sizes] for table in tables])
    sd = np.where(np.isnan(mean), 0.0, of_test_set(np.minimum(error, 1 - 0.5 / (images + 1)), images)).ravel()
    related = np.where(np.eye(flat, dtype=bool), 1.0, ASSUMED_CORRELATION)
    covariance = np.outer(sd, sd) * related
    return ImageNoise(covariance.reshape(*mean.shape, *mean.shape), "test_images", ASSUMED_CORRELATION)


def _images(table: pl.DataFrame, axis: str, size: float) -> float:
    here = table.filter(pl.col(axis) == size)["test_images"].mean()
    return float(here) if isinstance(here, int | float) else 1.0


def _half_wrong(error: Floats, images: int) -> Floats:
    """Variance of log error where every run answered every image alike: the binomial's."""
    return np.asarray(of_test_set(np.clip(error, 0.5 / (images + 1), 1 - 0.5 / (images + 1)), np.array(images)) ** 2)


def _wrong(tables: Sequence[pl.DataFrame], axis: str, sizes: Floats) -> tuple[Floats, Floats] | None:
    """Share of a cell's runs that are wrong on each test image, [K, n, images]; None unless all runs tell, of the same
    number of images. Where these come in clusters (patients), one value a cluster instead (`record.clusters`). With it
    the variance of each cell [K, n] that classes without spread hide; 0 where the error is a mean over images.
    """
    images = {value for table in tables for value in table["test_images"]}
    if len(images) > 1 or any(table[CORRECT].null_count() for table in tables):
        return None
    count = int(images.pop())
    wrong = np.zeros((len(tables), len(sizes), count))
    for arm, table in enumerate(tables):
        for (size,), rows in table.group_by(axis):
            answers = [unpack_correct(bits)[:count] for bits in rows[CORRECT]]
            if any(len(answer) != count for answer in answers):
                return None
            wrong[arm, int(np.searchsorted(sizes, size))] = 1 - np.mean(answers, axis=0)
    classes = next(iter(tables[0][TEST_CLASSES])) if len(tables[0]) else None
    hidden = np.zeros(wrong.shape[:2])
    if classes is not None:
        labels = unpack_clusters(classes)
        hidden = np.apply_along_axis(hidden_variance, -1, wrong, labels)
        wrong = by_class(wrong, labels)
    clusters = next(iter(tables[0][CLUSTERS])) if len(tables[0]) else None
    return (wrong if clusters is None else by_cluster(wrong, unpack_clusters(clusters))), hidden


def _shared(covariance: Floats) -> float:
    """Mean correlation between different cells."""
    sd = np.sqrt(np.diag(covariance))
    seen = sd > 0
    if seen.sum() < 2:
        return 0.0
    related = covariance[np.ix_(seen, seen)] / np.outer(sd[seen], sd[seen])
    return float(np.clip(related[~np.eye(seen.sum(), dtype=bool)].mean(), 0, 1))
