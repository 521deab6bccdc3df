"""Means over images that come in clusters, against algebra."""

import numpy as np
import pytest
from scipy import stats

from azeotrope.record.clusters import (
    by_class,
    by_cluster,
    half_wrong_by_class,
    hidden_variance,
    pack_clusters,
    unpack_clusters,
    widened,
)


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


class TestByClass:
    def test_the_variance_is_that_of_a_stratified_mean(self):
        """Cochran 1977, 5.3: Σ (1/C²) s_c² / n_c, where the numbers of each class are fixed."""
        random = np.random.default_rng(5)
        classes = np.repeat([0, 1, 2], [300, 60, 6])
        wrong = (random.random(366) < np.array([0.1, 0.4, 0.5])[classes]).astype(float)
        known = sum(wrong[classes == each].var(ddof=1) / (classes == each).sum() for each in range(3)) / 9
        spread = by_class(wrong, classes)
        assert (spread**2).mean() - spread.mean() ** 2 == pytest.approx(known * 366, rel=1e-9)
        assert spread.mean() == pytest.approx(np.mean([wrong[classes == each].mean() for each in range(3)]))

    def test_it_is_how_the_balanced_error_varies_over_drawn_test_sets(self):
        random, chances = np.random.default_rng(6), np.array([0.05, 0.5])
        classes = np.repeat([0, 1], [400, 8])
        drawn = (random.random((4000, 408)) < chances[classes]).astype(float)
        errors = (drawn[:, :400].mean(axis=1) + drawn[:, 400:].mean(axis=1)) / 2
        said = by_class(drawn, classes).var(axis=1, ddof=1) / 408
        assert said.mean() == pytest.approx(errors.var(), rel=0.08)
        plain = drawn.var(axis=1, ddof=1) / 408  # what all images alike would say
        assert plain.mean() < errors.var() / 40

    def test_classes_of_equal_size_and_spread_change_next_to_nothing(self):
        wrong = (np.random.default_rng(7).random((2, 3000)) < 0.3).astype(float)
        plain, spread = wrong.var(axis=1), by_class(wrong, np.tile([0, 1, 2], 1000)).var(axis=1)
        np.testing.assert_allclose(spread, plain, rtol=0.01)

    def test_a_class_without_spread_gets_a_share_of_the_others(self):
        """Two images of the rare class, both right in all runs, do not make its error 0 for sure."""
        wrong = np.array([0.0, 1.0] * 50 + [0.0, 0.0])
        classes = np.array([0] * 100 + [1, 1])
        common = wrong[:100].var(ddof=1)
        pooled = wrong[:100].var() * 100 / 100  # 102 images less 2 classes
        assert by_class(wrong, classes).var() / 102 == pytest.approx(common / 100 / 4, rel=0.01)
        assert hidden_variance(wrong, classes) == pytest.approx(pooled * 2 / 3 / 2 / 4)
        assert hidden_variance(np.array([0.0, 1.0, 0.0]), np.array([0, 0, 1])) == pytest.approx(0.5 / 4)
        assert hidden_variance(wrong[:100], classes[:100]) == 0

    @pytest.mark.parametrize("sizes", [[1] * 100, [20] + [1] * 100, [1] * 60 + [2] * 20, [50] + [1] * 30, [3] * 30])
    def test_classes_of_one_or_few_images_vary_as_drawn_test_sets_do(self, sizes):
        random, classes = np.random.default_rng(8), np.repeat(np.arange(len(sizes)), sizes)
        drawn = random.choice([-1.0, 0.0, 1.0], (1000, len(classes)), p=[0.24, 0.52, 0.24])  # two equal arms
        balanced = np.stack([drawn[:, classes == each].mean(axis=1) for each in range(len(sizes))]).mean(axis=0)
        said = by_class(drawn, classes).var(axis=1, ddof=1) / len(classes)
        said += [hidden_variance(row, classes) for row in drawn]
        assert np.median(said) == pytest.approx(balanced.var(), rel=0.2)
        assert np.mean(said) > 0.9 * balanced.var()

    def test_classes_of_one_image_do_not_say_too_little_where_some_are_harder(self):
        random, chances = np.random.default_rng(9), np.linspace(0.02, 0.6, 100)
        drawn = (random.random((2000, 100)) < chances).astype(float)
        said = by_class(drawn, np.arange(100)).var(axis=1, ddof=1) / 100
        assert drawn.mean(axis=1).var() < said.mean() < 1.5 * drawn.mean(axis=1).var()

    def test_where_nothing_is_wrong_half_a_wrong_one_of_each_class_stands_in(self):
        assert half_wrong_by_class(np.zeros(100, int)) == pytest.approx(np.sqrt(0.5) / 100)
        assert half_wrong_by_class(np.array([0] * 90 + [1])) > np.sqrt(0.5) / 2
