"""The noise of test images that come in clusters, against that of the clusters themselves."""

import numpy as np
import polars as pl

from azeotrope.curves.image_sampling import image_noise
from azeotrope.record.clusters import pack_clusters
from azeotrope.record.run import pack_correctness


def table(wrong, clusters=None):
    """Two sizes, one run each; `wrong` [2, images]."""
    return pl.DataFrame(
        {
            "train_images": [100, 200],
            "test_images": [wrong.shape[1]] * 2,
            "correct_bits": [pack_correctness(~row) for row in wrong],
            "test_clusters": [clusters] * 2,
            "test_class_numbers": [None] * 2,
        },
        schema_overrides={"test_clusters": pl.String, "test_class_numbers": pl.String},
    )


def test_ten_pictures_of_a_patient_who_is_wrong_on_all_of_them_are_one():
    wrong = np.random.default_rng(0).random((2, 2, 60)) < 0.3
    mean, sizes = np.log(wrong.mean(axis=2)), np.array([100.0, 200.0])
    clusters = pack_clusters(np.repeat(np.arange(60), 10))
    one = image_noise([table(arm) for arm in wrong], "train_images", sizes, mean)
    ten = image_noise([table(np.repeat(arm, 10, axis=1), clusters) for arm in wrong], "train_images", sizes, mean)
    np.testing.assert_allclose(ten.covariance, one.covariance)
    assert ten.counted == one.counted == "answers"
