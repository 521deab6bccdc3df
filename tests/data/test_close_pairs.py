"""Close pairs against SciPy's k-d tree, which compares every pair that its boxes leave."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from azeotrope.data.listing.close_pairs import close_pairs, count_close


def clustered(n, d=16, seed=0):
    """Points with neighbours: half of them near one of the others, spread unequally along the axes, turned."""
    rng = np.random.default_rng(seed)
    spread = 0.5 / np.arange(1, d + 1)
    base = rng.normal(size=(n - n // 2, d)) * spread
    near = base[rng.integers(0, len(base), n // 2)] + rng.normal(size=(n // 2, d)) * rng.choice(
        [0.01, 0.03], (n // 2, 1)
    )
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return (np.concatenate([base, near]) @ turn).astype(np.float32)


def as_set(pairs):
    return {tuple(sorted(pair)) for pair in pairs.tolist()}


@pytest.mark.parametrize("n", [2, 3, 50, 3000])
def test_the_pairs_are_those_of_a_tree(n):
    points = clustered(n)
    found = close_pairs(points, 0.1)
    assert len(as_set(found)) == len(found)
    assert as_set(found) >= as_set(cKDTree(points).query_pairs(0.1 * (1 - 1e-5), output_type="ndarray"))
    assert as_set(found) <= as_set(cKDTree(points).query_pairs(0.1 * (1 + 2e-4), output_type="ndarray"))
    assert n < 50 or len(found) > n // 8


def test_equal_points_are_all_pairs():
    """More than are compared at a time: none twice, none left out."""
    found = close_pairs(np.ones((700, 4), np.float32), 0.1)
    assert len(found) == len(as_set(found)) == 700 * 699 // 2


def test_neighbours_are_counted_on_average():
    points = clustered(500)
    counts = cKDTree(points).query_ball_point(points[:40], 0.1, return_length=True)
    assert count_close(points, points[:40], 0.1) == pytest.approx(counts.mean())
