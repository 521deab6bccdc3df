"""The noise of test images that come in clusters, against that of the clusters themselves."""

import numpy as np
import polars as pl

from azeotrope.curves.image_sampling import image_noise
from azeotrope.record.clusters import pack_clusters
from azeotrope.record.run import pack_correctness


def table(wrong, clusters=None, classes=None):
    """Two sizes, one run each; `wrong` [2, images]."""
    return pl.DataFrame(
        {
            "train_images": [100, 200],
            "test_images": [wrong.shape[1]] * 2,
            "correct_bits": [pack_correctness(~row) for row in wrong],
            "test_clusters": [clusters] * 2,
            "test_class_numbers": [classes] * 2,
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


def test_of_a_mean_over_classes_the_noise_is_that_of_each_class():
    """Cochran 1977, 5.3: the variance of log error is Σ s_c² / (C² n_c) over the error squared."""
    classes = np.repeat([0, 1], [200, 10])
    wrong = np.random.default_rng(3).random((2, 2, 210)) < np.where(classes == 0, 0.1, 0.5)
    each = np.stack([wrong[..., classes == label].mean(axis=2) for label in (0, 1)])
    error = each.mean(axis=0)
    known = sum(wrong[..., classes == label].var(axis=2, ddof=1) / (classes == label).sum() for label in (0, 1)) / 4
    tables = [table(arm, classes=pack_clusters(classes)) for arm in wrong]
    noise = image_noise(tables, "train_images", np.array([100.0, 200.0]), np.log(error))
    found = np.diag(noise.covariance.reshape(4, 4)).reshape(2, 2)
    np.testing.assert_allclose(found, known / error**2, rtol=0.01)
    plain = image_noise([table(arm) for arm in wrong], "train_images", np.array([100.0, 200.0]), np.log(error))
    assert (found > 4 * np.diag(plain.covariance.reshape(4, 4)).reshape(2, 2)).all()
