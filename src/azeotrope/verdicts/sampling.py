"""How far another draw of test images would move a mean difference: what seeds cannot show, for they share the images.

Seeds and images are crossed. What a seed and an image do together is in the variance over seeds already, so it is
taken off here and counted once (Cornfield & Tukey 1956; for classifiers, Gallas 2006).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.clusters import by_class, by_cluster, hidden_variance, widened


def image_variance(
    advantage: NDArray[np.float64],
    clusters: NDArray[np.int64] | None = None,
    classes: NDArray[np.int64] | None = None,
) -> float:
    """Variance that the test images add to the mean of `advantage` [seeds, images] beyond what varies over seeds.

    `advantage` is 1 where a alone is wrong, -1 where b alone is. With one seed nothing can be taken off. Where images
    come in `clusters` [images], these are what is drawn; few of them widen the interval as Student's t does. With
    `classes` [images] the mean is that over classes of each class's mean.
    """
    if classes is not None:
        return hidden_variance(advantage, classes) + image_variance(by_class(advantage, classes), clusters)
    if clusters is not None:
        return widened(int(clusters.max()) + 1) ** 2 * image_variance(by_cluster(advantage, clusters))
    seeds, images = advantage.shape
    if images < 2:
        return 0.0
    by_image = advantage.mean(axis=0)
    between = float(by_image.var(ddof=1)) / images
    if seeds < 2:
        return float(between)
    rest = advantage - by_image - advantage.mean(axis=1, keepdims=True) + advantage.mean()
    together = float((rest**2).sum()) / ((seeds - 1) * (images - 1)) / (seeds * images)
    return float(max(0.0, between - together))


def binomial_variance(error_a: float, error_b: float, images: int) -> float:
    """The most that `images` test images can add where nobody recorded which were wrong: both arms apart."""
    return (error_a * (1 - error_a) + error_b * (1 - error_b)) / images
