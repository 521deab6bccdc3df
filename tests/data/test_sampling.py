"""Balanced sampling: counted by hand, on classes of any size."""

import numpy as np
import pytest

from azeotrope.data.division.sampling import balanced_order

SIZES = (100, 10, 3)
LABELS = np.random.default_rng(0).permutation(np.repeat([4, 7, 9], SIZES))


def shown(seed=0, epoch=0, labels=LABELS, places=None):
    return balanced_order(labels, places or len(labels), seed, epoch).images


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
    for label in (4, 7, 9):
        assert np.ptp(np.bincount(over, minlength=len(LABELS))[label == LABELS]) <= 1


def test_what_a_short_batch_leaves_out_is_no_turn_of_an_image():
    """150 and 50 images, batches of 128: 64 places of 128 are each class's, so 3 epochs are more than all 150."""
    labels = np.repeat([0, 1], [150, 50])
    over = np.concatenate([shown(epoch=epoch, labels=labels, places=128) for epoch in range(3)])
    assert len(over) == 3 * 128
    times = np.bincount(over, minlength=200)
    assert set(times[:150]) == {1, 2}
    assert set(times[150:]) == {3, 4}


def test_how_often_an_image_came_before_is_counted_over_epochs():
    seen = np.zeros(len(LABELS), int)
    for epoch in range(4):
        order = balanced_order(LABELS, 96, 0, epoch)
        for image, passes in zip(*order, strict=True):
            assert passes == seen[image]
            seen[image] += 1


def test_of_more_classes_than_places_all_come_in_turn():
    labels = np.arange(7)
    over = np.concatenate([shown(epoch=epoch, labels=labels, places=4) for epoch in range(7)])
    assert set(np.bincount(over)) == {4}


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
