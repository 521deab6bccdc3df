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


def widened(clusters: int) -> float:
    """Factor on a standard error that makes a normal 95 % interval Student's with `clusters` - 1 degrees of freedom."""
    return float(special.stdtrit(max(1, clusters - 1), LEVEL) / special.ndtri(LEVEL))
