import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azeotrope.data.division.subset import subset
from azeotrope.errors import InputError

from .made import checksum

class_counts = st.lists(st.integers(1, 60), min_size=2, max_size=8)


def labelled(counts):
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    return labels, [checksum(row) for row in range(len(labels))]


@settings(max_examples=150, deadline=None)
@given(class_counts, st.integers(0, 3))
def test_every_prefix_is_stratified(counts, seed):
    labels, checksums = labelled(counts)
    total, classes = len(labels), len(counts)
    rows = subset(np.arange(total), labels, total, seed, checksums)
    taken = np.zeros(classes)
    due = np.array(counts) / total
    for count, label in enumerate(labels[rows], start=1):
        taken[label] += 1
        if count >= classes:
            assert (taken >= 1).all()
        if count * due.min() >= 1:
            assert np.abs(taken - count * due).max() <= 1 + 1e-9


@settings(max_examples=50, deadline=None)
@given(class_counts, st.integers(0, 3), st.data())
def test_smaller_subsets_are_inside_larger_ones(counts, seed, data):
    labels, checksums = labelled(counts)
    small, large = sorted(data.draw(st.lists(st.integers(1, len(labels)), min_size=2, max_size=2)))
    pool = np.arange(len(labels))
    rows = subset(pool, labels, large, seed, checksums)
    assert len(set(rows.tolist())) == large
    np.testing.assert_array_equal(subset(pool, labels, small, seed, checksums), rows[:small])


@settings(max_examples=50, deadline=None)
@given(class_counts, st.randoms(use_true_random=False))
def test_the_order_of_listing_does_not_matter(counts, random):
    labels, checksums = labelled(counts)
    count = max(1, len(labels) // 2)
    shuffled = list(range(len(labels)))
    random.shuffle(shuffled)
    rows = subset(np.arange(len(labels)), labels, count, 0, checksums)
    again = subset(np.arange(len(labels)), labels[shuffled], count, 0, [checksums[row] for row in shuffled])
    assert [checksums[row] for row in rows] == [checksums[shuffled[row]] for row in again]


def test_seeds_give_different_subsets():
    labels, checksums = labelled([500, 500])
    pool = np.arange(1000)
    first, second = (set(subset(pool, labels, 100, seed, checksums).tolist()) for seed in (0, 1))
    assert 0 < len(first & second) < 30  # by chance 10


def test_only_the_pool_is_drawn_from():
    labels, checksums = labelled([50, 50])
    pool = np.arange(0, 100, 3)
    assert set(subset(pool, labels, len(pool), 0, checksums).tolist()) == set(pool.tolist())


def test_a_rare_class_is_there_as_soon_as_there_is_room():
    labels, checksums = labelled([990, 5, 5])
    rows = subset(np.arange(1000), labels, 3, 0, checksums)
    assert sorted(labels[rows].tolist()) == [0, 1, 2]


@pytest.mark.parametrize("count", [0, 11])
def test_a_count_that_does_not_fit_is_refused(count):
    labels, checksums = labelled([5, 5])
    with pytest.raises(InputError) as caught:
        subset(np.arange(10), labels, count, 0, checksums)
    assert str(caught.value) == (
        "A subset cannot be larger than the training images, nor empty. "
        f"Found: {count} asked. "
        "Allowed: 1 to 10 (test and validation images, copies and unreadable files are not counted). "
        "Next: ask for fewer images or add some."
    )
