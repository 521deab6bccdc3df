"""Which test images belong together, and means over images that come in such clusters.

Images of one patient are wrong together, so they tell less than as many of different patients: the sampling error of a
mean is then that of the clusters. It is kept in a record as text and judges nothing.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

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


def side_by_side(parts: Sequence[NDArray[np.integer]]) -> Int64[np.ndarray, " images"]:
    """Clusters of several sets of images, none of which stands in two, numbered through."""
    starts = np.cumsum([0, *(int(part.max()) + 1 for part in parts)])
    return np.concatenate([part + start for part, start in zip(parts, starts[:-1], strict=True)]).astype(np.int64)


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
    around the mean over classes (Cochran 1977, Sampling Techniques, 5.3: strata of fixed sizes). Classes of one image
    make one stratum, with its mean in the place of m_c and its size in that of n_c under the root (5A.12, collapsed
    strata): where they differ in difficulty that says too much, never too little. What classes without spread hide is
    no part of it: `hidden_variance` is added to it.
    """
    counts, strata = np.bincount(classes), _strata(classes)
    shown, own = int((counts > 0).sum()), np.bincount(strata)[strata]
    flat = _flat(values)
    middle = np.stack([np.bincount(classes, weights=row) for row in flat])[:, counts > 0] / counts[counts > 0]
    weight = len(classes) / (shown * counts[classes]) * np.sqrt(own / np.maximum(own - 1, 1))
    return np.asarray((middle.mean(axis=1, keepdims=True) + weight * _within(flat, strata)).reshape(values.shape))


def hidden_variance(values: Float[np.ndarray, "*rows images"], classes: Int64[np.ndarray, " images"]) -> float:
    """What stands in, in the variance of the mean over classes, for classes in which all images are alike in all rows.

    They would seem to be known for sure. Each gets a share of the others' spread: k / (n_c − 1 + k) of their pooled
    variance, as if that were k images of it. Classes of one image are one stratum, as in `by_class`.
    """
    counts, strata = np.bincount(classes), _strata(classes)
    flat, sizes = _flat(values), np.bincount(strata)
    squares = np.bincount(strata, weights=(_within(flat, strata) ** 2).sum(axis=0))
    pooled = squares.sum() / (len(flat) * max(1, len(classes) - int((sizes > 0).sum())))
    still = (squares < _NO_SPREAD)[strata]
    own = sizes[strata][still]
    stands_in = pooled * _PRIOR_IMAGES / (own - 1 + _PRIOR_IMAGES)
    return float((stands_in / counts[classes][still] ** 2).sum() / int((counts > 0).sum()) ** 2)


def half_wrong_by_class(classes: Int64[np.ndarray, " images"]) -> float:
    """Standard error of the mean over classes where no answer was wrong: half a wrong one in each class."""
    counts = np.bincount(classes)
    counts = counts[counts > 0]
    return float(np.sqrt((0.5 / counts.astype(float) ** 2).sum()) / len(counts))


def _strata(classes: Int64[np.ndarray, " images"]) -> Int64[np.ndarray, " images"]:
    """The class of each image; those of one image are one, which has the number after the last."""
    counts = np.bincount(classes)
    return np.where(counts[classes] == 1, len(counts), classes)


def _flat(values: Float[np.ndarray, "*rows images"]) -> Float[np.ndarray, "rows images"]:
    return np.asarray(values.reshape(-1, values.shape[-1]), dtype=np.float64)


def _within(flat: Float[np.ndarray, "rows images"], strata: Int64[np.ndarray, " images"]) -> NDArray[np.float64]:
    """How far each value is from the mean of its stratum."""
    sums = np.stack([np.bincount(strata, weights=row) for row in flat])
    return np.asarray(flat - (sums / np.maximum(np.bincount(strata), 1))[:, strata])


def widened(clusters: int) -> float:
    """Factor on a standard error that makes a normal 95 % interval Student's with `clusters` - 1 degrees of freedom."""
    return float(special.stdtrit(max(1, clusters - 1), LEVEL) / special.ndtri(LEVEL))
