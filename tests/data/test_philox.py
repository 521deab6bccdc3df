"""Truth: the known-answer vectors that Random123 publishes (kat_vectors, philox4x32 10), Salmon et al. 2011."""

import numpy as np
import pytest

from azeotrope.data.augmentation.philox import permutation, philox4x32, uniforms

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter, key, answer):
    words = philox4x32(np.array([counter], np.uint64), key)
    assert [f"{word:08x}" for word in words[0]] == [f"{word:08x}" for word in answer]


def test_a_number_depends_on_its_own_counter_only():
    counters = np.random.default_rng(0).integers(0, 2**32, (50, 4), dtype=np.uint64)
    together = philox4x32(counters, (1, 2))
    alone = np.concatenate([philox4x32(counters[[place]], (1, 2)) for place in range(50)])
    np.testing.assert_array_equal(together, alone)


def test_uniforms_fill_the_unit_interval_evenly():
    u = uniforms(np.arange(20_000, dtype=np.uint64), 0, 6)
    assert u.min() >= 0
    assert u.max() < 1
    counts = np.stack([np.histogram(column, bins=20, range=(0, 1))[0] for column in u.T])
    chi_square = ((counts - 1000) ** 2 / 1000).sum(axis=1)
    assert (chi_square < 43.8).all()  # 99.9 % point of chi-square with 19 degrees of freedom
    correlations = np.corrcoef(u.T) - np.eye(6)
    assert np.abs(correlations).max() < 4 / np.sqrt(20_000)


@pytest.mark.parametrize("other", [(1, 5), (2**32, 5), (0, 6)], ids=["image", "high word", "stream"])
def test_another_image_or_stream_gives_other_numbers(other):
    def of(identity, stream):
        return uniforms(np.array([identity], np.uint64), stream, 4)

    assert not np.isin(of(*other), of(0, 5)).any()


def test_a_longer_draw_begins_with_the_shorter():
    identities = np.array([7, 2**40], np.uint64)
    np.testing.assert_array_equal(uniforms(identities, 3, 8)[:, :5], uniforms(identities, 3, 5))


def test_permutations_hold_everything_once_and_differ_by_seed_and_epoch():
    orders = {(seed, epoch): permutation(100, seed, epoch) for seed in range(3) for epoch in range(3)}
    assert all(sorted(order) == list(range(100)) for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) == 9
    np.testing.assert_array_equal(orders[1, 2], permutation(100, 1, 2))


def test_every_place_is_as_likely_for_the_first_image():
    places = np.array([np.flatnonzero(permutation(10, 0, epoch) == 0)[0] for epoch in range(4000)])
    counts = np.bincount(places, minlength=10)
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # 99.9 % point, 9 degrees of freedom
