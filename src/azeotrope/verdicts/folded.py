"""How sure a mean over folds and seeds is: every image tested once a seed, by models whose training sets overlap.

Trainings of one fold share their test images whatever the seed, so seeds are averaged first and K folds are left, not
K times S runs. There are two estimates of the variance of a fold's mean, and each lacks something: that between images
knows nothing of what a whole training does to all images of a fold; that between folds knows it, with K - 1 degrees of
freedom. Their mean is taken, at twice the degrees of freedom; where folds differ much more than their images explain
(`TORN`), trainings are what differs, and the folds alone must be enough too. What neither sees is that training sets
overlap, so that the folds' models err together: no unbiased estimate of it exists (Bengio & Grandvalet 2004, JMLR
5:1089), and `WIDER` is measured (`benchmarks/fold_verdicts.py`).

Where a run takes few of the images that a fold leaves, all folds of a seed train on nearly the same few. What that draw
does to all of them alike shows between seeds only: their spread is added, and one seed says nothing of it.

Nadeau & Bengio's correction (2003, Machine Learning 52:239, doi 10.1023/A:1024068626366, eq. 9) adds
n_test / n_train to 1 / K, for all of the variance. It is kept where images are not known, and for a few groups
(`FEW_GROUPS`): elsewhere it finds less than one hold-out does, since images of different folds are independent and need
no correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from azeotrope.record.clusters import by_class, by_cluster, hidden_variance
from azeotrope.record.folds import PooledRun
from azeotrope.record.run import RunRecord

WIDER = 1.13
"""Factor on the standard error, for training sets that overlap: the least, in steps of 0.01, at which no more than 5 %
of equal arms are called different where learners fit nearly every training image, at one seed and at three.
`benchmarks/fold_verdicts.py` measures what is left on other worlds.
"""
TORN = 1.5
"""Times the variance that images explain, from which on the variance between folds is judged alone, too."""
FEW = 0.5
"""Share of the images outside a fold below which the draw of training images counts (validation takes a fifth)."""
FEW_GROUPS = 2
"""Groups a fold up to which folds are judged as if images were not known: models that train on nearly the same few
groups err together by much more than `WIDER` allows, and images and folds say the same of so few.
"""
_LEAST = 0.5
"""Wrong images that stand in where no image tells two arms apart: half of one, as elsewhere."""
_LEAST_P = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A variance of the mean and its degrees of freedom."""

    variance: float
    freedom: float

    def half(self, level: float) -> float:
        """Half the width of Student's interval."""
        return float(special.stdtrit(self.freedom, (1 + level) / 2) * self.variance**0.5)


@dataclass(frozen=True)
class Folded:
    """What is known of a mean over `folds` folds. Each of `estimates` is one of its variance; the widest counts.
    `of_images`: from what each image got; else from the folds' errors alone. `few`: a run takes so few images that
    their draw counts, and `draw` is what it adds; None where one seed says nothing of it.
    """

    folds: int
    estimates: tuple[Estimate, ...]
    of_images: bool
    few: bool = False
    draw: Estimate | None = None

    def half(self, level: float) -> float:
        """Half the width of the interval; without end where nothing is known of the draw."""
        if self.few and self.draw is None:
            return float("inf")
        widest = max(estimate.half(level) for estimate in self.estimates)
        return float(np.hypot(widest, self.draw.half(level))) if self.draw else widest

    def p(self, value: float) -> float:
        """The error rate at which the half width equals `value`."""

        def excess(log_p: float) -> float:
            return self.half(1 - float(np.exp(log_p))) - abs(value)

        low = float(np.log(_LEAST_P))
        if value == 0 or self.half(0.5) == float("inf"):
            return 1.0
        return _LEAST_P if excess(low) <= 0 else float(np.exp(optimize.brentq(excess, low, 0.0)))


def folded(runs: Sequence[RunRecord], by_fold: NDArray[np.float64], by_image: NDArray[np.float64] | None) -> Folded:
    """Of the mean of values that are known by fold [seeds, folds] and, where the error is a mean over images, by image
    [seeds, images], in the order of the folds; `runs` are of one arm, a pooled run a seed.
    """
    first = runs[0]
    assert isinstance(first, PooledRun), "only runs over folds have folds"
    folds, images = len(first.parts), np.array(first.fold_images)
    few = first.train_images < FEW * (images.sum() - images.max())
    draw = _draw(by_fold @ (images / images.sum())) if few else None
    if by_image is None:
        return Folded(folds, (_corrected(first, by_fold),), of_images=False, few=few, draw=draw)
    values, clusters, classes = by_image.mean(axis=0), first.test_clusters(), first.test_labels()
    hidden = 0.0 if classes is None else hidden_variance(values, classes)
    values = values if classes is None else by_class(values, classes)
    ends = np.cumsum(images)
    means = np.array([part.mean() for part in np.split(values, ends[:-1])])
    units = values if clusters is None else by_cluster(values, clusters)
    of_images = max(float(units.var(ddof=1)) / len(units) + hidden, _LEAST / len(values) ** 2)
    of_folds = _between(means, images / images.sum()) / folds
    if len(units) <= FEW_GROUPS * folds:
        least = Estimate(of_images, len(units) - 1.0)
        return Folded(folds, (_corrected(first, by_fold), least), of_images=True, few=few, draw=draw)
    both = Estimate(WIDER**2 * (of_images + of_folds) / 2, 2.0 * (folds - 1))
    torn = (Estimate(of_folds, folds - 1.0),) if of_folds > TORN * of_images else ()
    return Folded(folds, (both, *torn), of_images=True, few=few, draw=draw)


def _corrected(first: PooledRun, by_fold: NDArray[np.float64]) -> Estimate:
    """Nadeau & Bengio's, from the folds alone."""
    folds = len(first.parts)
    test_share = float(np.mean(first.fold_images)) / first.train_images
    return Estimate(_between(by_fold.mean(axis=0)) * (1 / folds + test_share), folds - 1.0)


def _draw(by_seed: NDArray[np.float64]) -> Estimate | None:
    """What the spread over seeds says of their mean; None for one seed."""
    seeds = len(by_seed)
    return Estimate(float(by_seed.var(ddof=1)) / seeds, seeds - 1.0) if seeds > 1 else None


def _between(means: NDArray[np.float64], shares: NDArray[np.float64] | None = None) -> float:
    """Sample variance of the folds' means; folds of unequal size by their `shares` of the images."""
    weights = np.full(len(means), 1 / len(means)) if shares is None else shares
    apart = len(means) * weights * (means - weights @ means)
    return float((apart**2).sum() / (len(means) - 1))
