"""Means over images that come in clusters, against algebra."""

import numpy as np
import pytest
from scipy import stats

from azeotrope.record.clusters import by_cluster, pack_clusters, unpack_clusters, widened


def test_clusters_are_read_back_numbered():
    units = np.array([40, 40, 7, 7, 7, 99, 40])
    assert unpack_clusters(pack_clusters(units)).tolist() == [1, 1, 0, 0, 0, 2, 1]


def test_a_record_of_many_images_stays_small():
    assert len(pack_clusters(np.repeat(np.arange(500), 20))) < 2000


def test_copies_of_images_tell_no_more_than_the_images():
    values = np.random.default_rng(0).normal(size=(3, 40))
    tripled = by_cluster(np.repeat(values, 3, axis=1), np.repeat(np.arange(40), 3))
    np.testing.assert_allclose(tripled, values, atol=1e-12)


def test_clusters_of_one_image_change_nothing():
    values = np.random.default_rng(1).normal(size=30)
    np.testing.assert_allclose(by_cluster(values, np.arange(30)), values, atol=1e-12)


def test_the_mean_stays_with_unequal_clusters():
    clusters = np.random.default_rng(2).integers(0, 9, 200)
    values = np.random.default_rng(3).normal(size=(2, 200))
    np.testing.assert_allclose(by_cluster(values, clusters).mean(axis=1), values.mean(axis=1), atol=1e-12)


def test_the_variance_of_a_ratio_of_sums():
    """Cochran 1977, 6.11 (with no finite population): C / (C - 1) Σ (S_c − m n_c)² / n²."""
    random = np.random.default_rng(4)
    clusters = np.sort(random.integers(0, 12, 90))
    wrong = (random.random(90) < 0.3).astype(float)
    sums, sizes = np.bincount(clusters, weights=wrong), np.bincount(clusters)
    known = 12 / 11 * ((sums - wrong.mean() * sizes) ** 2).sum() / 90**2
    assert by_cluster(wrong, clusters).var(ddof=1) / 12 == pytest.approx(known)


@pytest.mark.parametrize("clusters", [2, 5, 30])
def test_few_clusters_widen_as_students_t_does(clusters):
    assert widened(clusters) == pytest.approx(stats.t.ppf(0.975, clusters - 1) / stats.norm.ppf(0.975))
