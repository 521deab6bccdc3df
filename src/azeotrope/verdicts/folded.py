"""How sure a mean over folds and seeds is: every image tested once a seed, by models whose training sets overlap.

Trainings of one fold share their test images whatever the seed, so seeds are averaged first and K folds are left, not
K times S runs. There are two estimates of the variance of a fold's mean, and each lacks something: that between images
knows nothing of what a whole training does to all images of a fold; that between folds knows it, with K - 1 degrees of
freedom. Their mean is taken, at twice the degrees of freedom. What neither sees is that training sets overlap, so that
the folds' models err together: no unbiased estimate of it exists (Bengio & Grandvalet 2004, JMLR 5:1089), and `WIDER`
is measured (`benchmarks/fold_verdicts.py`).

Nadeau & Bengio's correction (2003, Machine Learning 52:239, doi 10.1023/A:1024068626366, eq. 9) adds
n_test / n_train to 1 / K, for all of the variance. It is kept where images are not known: where they are, it finds less
than one hold-out does, since images of different folds are independent and need no correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.clusters import by_class, by_cluster, hidden_variance
from azeotrope.record.folds import PooledRun
from azeotrope.record.run import RunRecord

WIDER = 1.07
"""Factor on the standard error, for training sets that overlap. `benchmarks/fold_verdicts.py` measures what is left:
2 to 6 % of false calls at 5 %, and about 7 % of learners that overfit (docs/folds.md)."""
_LEAST = 0.5
"""Wrong images that stand in where no image tells two arms apart: half of one, as elsewhere."""


@dataclass(frozen=True)
class Folded:
    """The `variance` of a mean over `folds` folds, with the degrees of freedom of Student's t. `of_images`: from what
    each image got; else from the folds' errors alone.
    """

    folds: int
    variance: float
    freedom: float
    of_images: bool


def folded(runs: Sequence[RunRecord], by_fold: NDArray[np.float64], by_image: NDArray[np.float64] | None) -> Folded:
    """Of the mean of values that are known by fold [seeds, folds] and, where the error is a mean over images, by image
    [seeds, images], in the order of the folds; `runs` are of one arm, a pooled run a seed.
    """
    first = runs[0]
    assert isinstance(first, PooledRun), "only runs over folds have folds"
    folds, images = len(first.parts), np.array(first.fold_images)
    if by_image is None:
        test_share = float(images.mean()) / first.train_images
        return Folded(folds, _between(by_fold.mean(axis=0)) * (1 / folds + test_share), folds - 1.0, of_images=False)
    values, clusters, classes = by_image.mean(axis=0), first.test_clusters(), first.test_labels()
    hidden = 0.0 if classes is None else hidden_variance(values, classes)
    values = values if classes is None else by_class(values, classes)
    ends = np.cumsum(images)
    means = np.array([part.mean() for part in np.split(values, ends[:-1])])
    units = values if clusters is None else by_cluster(values, clusters)
    of_images = max(float(units.var(ddof=1)) / len(units) + hidden, _LEAST / len(values) ** 2)
    of_folds = _between(means, images / images.sum()) / folds
    return Folded(folds, WIDER**2 * (of_images + of_folds) / 2, 2.0 * (folds - 1), of_images=True)


def _between(means: NDArray[np.float64], shares: NDArray[np.float64] | None = None) -> float:
    """Sample variance of the folds' means; folds of unequal size by their `shares` of the images."""
    weights = np.full(len(means), 1 / len(means)) if shares is None else shares
    apart = len(means) * weights * (means - weights @ means)
    return float((apart**2).sum() / (len(means) - 1))
