"""Balanced sampling: counted by hand, on classes of any size."""

import numpy as np
import pytest

from azeotrope.data.sampling import balanced_order

SIZES = (100, 10, 3)
LABELS = np.random.default_rng(0).permutation(np.repeat([4, 7, 9], SIZES))


def shown(seed=0, epoch=0, labels=LABELS):
    return balanced_order(labels, seed, epoch)


@pytest.mark.parametrize("epoch", [0, 1, 57])
def test_an_epoch_is_as_long_as_without_it_and_every_class_comes_equally_often(epoch):
    order = shown(epoch=epoch)
    assert len(order) == len(LABELS)
    counts = np.bincount(LABELS[order])[[4, 7, 9]]
    assert sorted(counts) == [37, 38, 38]


def test_it_depends_on_seed_and_epoch_alone():
    np.testing.assert_array_equal(shown(3, 5), shown(3, 5))
    assert (shown(3, 5) != shown(4, 5)).any()
    assert (shown(3, 5) != shown(3, 6)).any()


def test_within_a_class_images_come_equally_often_and_over_epochs_all_of_them_come():
    order = shown()
    for label in (7, 9):
        times = np.bincount(order, minlength=len(LABELS))[label == LABELS]
        assert np.ptp(times) <= 1
    over = np.concatenate([shown(epoch=epoch) for epoch in range(12)])
    times = np.bincount(over, minlength=len(LABELS))[LABELS == 4]
    assert times.min() >= 3
    assert times.max() <= 5


def test_classes_are_spread_over_the_epoch():
    """Every 16 images hold 5 or 6 of each class, where chance would leave out some."""
    for start in range(0, 96, 16):
        counts = np.bincount(LABELS[shown()[start : start + 16]])[[4, 7, 9]]
        assert counts.min() >= 3


def test_equal_classes_are_each_image_once():
    labels = np.arange(40) % 4
    np.testing.assert_array_equal(np.sort(shown(labels=labels)), np.arange(40))


def test_one_class_alone_is_an_order_of_its_images():
    np.testing.assert_array_equal(np.sort(shown(labels=np.zeros(9, np.int64))), np.arange(9))
