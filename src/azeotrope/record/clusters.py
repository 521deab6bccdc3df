"""Which test images belong together, and means over images that come in such clusters.

Images of one patient are wrong together, so they tell less than as many of different patients: the sampling error of a
mean is then that of the clusters. It is kept in a record as text and judges nothing.
"""

from __future__ import annotations

import base64
import zlib

import numpy as np
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from scipy import special

_PRIOR_IMAGES = 2  # of a class whose own images show no spread: what the other classes count as
_NO_SPREAD = 1e-18
LEVEL = 0.975  # quantile by which the few clusters widen an interval


def pack_clusters(units: NDArray[np.int64]) -> str:
    """The cluster of each image, numbered from 0, compressed; 10,000 images of 500 patients take about 1.5 kB."""
    numbers = np.unique(units, return_inverse=True)[1].astype("<u4")
    return base64.b64encode(zlib.compress(np.diff(numbers, prepend=0).astype("<i4").tobytes(), 9)).decode("ascii")


def unpack_clusters(text: str) -> Int64[np.ndarray, " images"]:
    """What `pack_clusters` wrote: the number of each image's cluster."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<i4")
    return np.cumsum(steps, dtype=np.int64)


def by_cluster(
    values: Float[np.ndarray, "*rows images"], clusters: Int64[np.ndarray, " images"]
) -> Float[np.ndarray, "*rows clusters"]:
    """One value a cluster whose mean over clusters is that over images, and whose variance over clusters, by their
    number, is the variance of that mean.

    With m the mean over n images in C clusters of n_c images each: m + C/n Σ_{i in c} (x_i − m), the linearised ratio
    of two sums (Cochran 1977, Sampling Techniques, 9A.1), for clusters of unequal size.
    """
    count, images = int(clusters.max()) + 1, len(clusters)
    middle = values.mean(axis=-1, keepdims=True)
    flat = (values - middle).reshape(-1, images)
    sums = np.stack([np.bincount(clusters, weights=row, minlength=count) for row in flat])
    return np.asarray(middle + count / images * sums.reshape(*values.shape[:-1], count))


def by_class(
    values: Float[np.ndarray, "*rows images"], classes: Int64[np.ndarray, " images"]
) -> Float[np.ndarray, "*rows images"]:
    """One value an image whose variance over images, by their number, is the variance of the mean over classes of each
    class's mean: a class of few images moves that mean most.

    With n images, n_c of them in each of C classes and m_c the mean there: n / (C n_c) √(n_c / (n_c − 1)) (x_i − m_c),
    around the mean over classes (Cochran 1977, Sampling Techniques, 5.3: strata of fixed sizes). A class in which all
    images are alike would seem to be known for sure: it gets a share of the other classes' spread, k / (n_c − 1 + k)
    of their pooled variance, as if that were k images of it.
    """
    counts = np.bincount(classes)
    shown, own = int((counts > 0).sum()), counts[classes]
    flat = values.reshape(-1, len(classes)).astype(np.float64)
    sums = np.stack([np.bincount(classes, weights=row, minlength=len(counts)) for row in flat])
    means = sums / np.maximum(counts, 1)
    within = flat - means[:, classes]
    squares = np.bincount(classes, weights=(within**2).sum(axis=0), minlength=len(counts))
    pooled = squares.sum() / (len(flat) * max(1, len(classes) - shown))
    still = (squares < _NO_SPREAD)[classes]
    within[:, still] = (_signs(classes) * np.sqrt(pooled * _PRIOR_IMAGES / (own - 1 + _PRIOR_IMAGES)))[still]
    weight = len(classes) / (shown * own) * np.sqrt(np.where(own > 1, own / np.maximum(own - 1, 1), 1.0))
    middle = means[:, counts > 0].mean(axis=1, keepdims=True)
    return np.asarray((middle + weight * within).reshape(values.shape))


def half_wrong_by_class(classes: Int64[np.ndarray, " images"]) -> float:
    """Standard error of the mean over classes where no answer was wrong: half a wrong one in each class."""
    counts = np.bincount(classes)
    counts = counts[counts > 0]
    return float(np.sqrt((0.5 / counts.astype(float) ** 2).sum()) / len(counts))


def _signs(classes: Int64[np.ndarray, " images"]) -> Float[np.ndarray, " images"]:
    """+1 and −1 by turns among the images of each class; +1 for an image that is alone."""
    order = np.argsort(classes, kind="stable")
    starts = np.searchsorted(classes[order], classes[order])
    signs = np.empty(len(classes))
    signs[order] = 1.0 - 2.0 * ((np.arange(len(classes)) - starts) % 2)
    return signs


def widened(clusters: int) -> float:
    """Factor on a standard error that makes a normal 95 % interval Student's with `clusters` - 1 degrees of freedom."""
    return float(special.stdtrit(max(1, clusters - 1), LEVEL) / special.ndtri(LEVEL))
