import numpy as np
import pytest

from azeotrope.kinds.multi import KIND as MULTI
from azeotrope.kinds.number import KIND as NUMBER
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.teacher.heads.folds import folds_of


@pytest.mark.parametrize("images", [250, 997])
def test_every_fold_holds_its_share_of_every_class(images):
    """Ten classes in equal and in unequal parts; a class may be off by one in a fold."""
    rng = np.random.default_rng(0)
    for labels in (np.arange(images) % 10, rng.choice(10, images, p=np.arange(1, 11) / 55)):
        folds = folds_of(labels, SINGLE, 5)
        sizes = np.bincount(folds, minlength=5)
        assert sizes.max() - sizes.min() <= 1
        for label in range(10):
            in_fold = np.bincount(folds[labels == label], minlength=5)
            assert np.abs(in_fold - (labels == label).sum() / 5).max() <= 2


def test_images_of_a_rare_class_are_in_different_folds():
    labels = np.array([0] * 97 + [1] * 3)
    assert len(set(folds_of(labels, SINGLE, 5)[labels == 1])) == 3


def test_a_class_with_as_many_images_as_folds_has_one_in_each():
    labels = np.array([0] * 60 + [1] * 5 + [2] * 35)
    assert sorted(folds_of(labels, SINGLE, 5)[labels == 1]) == [0, 1, 2, 3, 4]


def test_fewer_images_than_folds_are_a_fold_each():
    assert sorted(folds_of(np.array([0, 1, 0]), SINGLE, 5)) == [0, 1, 2]


def test_labels_together_and_numbers_are_dealt_alike():
    rng = np.random.default_rng(1)
    shows = rng.random((200, 4)) < [0.5, 0.3, 0.2, 0.1]
    folds = folds_of(shows, MULTI, 4)
    for fold in range(4):
        np.testing.assert_allclose(shows[folds == fold].mean(0), shows.mean(0), atol=0.06)
    values = rng.lognormal(size=200)
    means = [np.log(values[folds_of(values, NUMBER, 4) == fold]).mean() for fold in range(4)]
    assert np.ptp(means) < 0.3  # of a standard deviation of 1; drawn at random they would differ by 0.3 on average


def test_the_same_images_have_the_same_folds():
    labels = np.arange(100) % 7
    np.testing.assert_array_equal(folds_of(labels, SINGLE), folds_of(labels, SINGLE))
