"""When seeds bear out what the laws say: as many as a verdict asks for, and none the other way."""

import polars as pl
import pytest

from azeotrope.planning.settled import doubtful, pairs
from azeotrope.tables.frame import read_runs
from azeotrope.verdicts.verdict import FEWEST_SEEDS

GAINS = {100: (0.05, 0.06, 0.04), 400: (-0.03, -0.02, -0.025), 1600: (0.0, 0.0)}
"""Error of b minus that of a, by size and seed."""


def curves(gains=GAINS, *, seeds=True):
    rows = [
        {
            "arm": arm,
            "train_images": size,
            "seed": seed,
            "test_error": 0.3 + 0.001 * seed + (gain if arm == "b" else 0.0),
        }
        for size, found in gains.items()
        for seed, gain in enumerate(found)
        for arm in "ab"
    ]
    table = pl.DataFrame(rows)
    frame = read_runs(table if seeds else table.drop("seed"))
    return frame.only("a"), frame.only("b")


@pytest.mark.parametrize(("at", "size", "seeds"), [(90, 100, 3), (350, 400, 3), (1600, 1600, 2), (10_000, 1600, 2)])
def test_seeds_are_counted_at_the_size_nearest_the_users_in_logs(at, size, seeds):
    found = pairs(*curves(), at)
    assert (found.size, found.seeds, found.lacking) == (size, seeds, FEWEST_SEEDS - seeds)


def test_two_seeds_that_tie_are_in_doubt():
    found = pairs(*curves(), 1600)
    assert doubtful([found], 0.005) is found
    assert found.said == "a and b share 2 paired seeds at 1,600 images, and a verdict needs 3"


def test_three_seeds_for_the_leader_are_no_doubt():
    assert doubtful([pairs(*curves(), 100)], 0.005) is None


def test_three_seeds_against_the_leader_are_a_doubt_by_the_t_interval():
    """Mean 2.5 points, sd 0.5: the half width is 4.303 x 0.5 / sqrt(3) = 1.24 points (Student's table, 2 degrees)."""
    found = pairs(*curves(), 400)
    assert found.difference.low == pytest.approx(0.025 - 4.303 * 0.005 / 3**0.5, abs=1e-5)
    assert doubtful([found], 0.005) is found
    assert doubtful([found], 0.02) is None
    assert found.said == "in the 3 paired seeds at 400 images b has the lower error"


def test_the_pair_that_lacks_most_is_named():
    enough, lacking = pairs(*curves(), 400), pairs(*curves(), 1600)
    assert doubtful([enough, lacking], 0.005) is lacking


def test_runs_without_seeds_are_counted_and_not_paired():
    """Without seeds, rows stand in the order of their errors, and their differences would look too sure."""
    found = pairs(*curves(seeds=False), 400)
    assert (found.seeds, found.difference) == (3, None)


def test_curves_without_a_common_size():
    a, b = curves()[0], curves({50: (0.1, 0.1, 0.1)})[1]
    assert pairs(a, b, 100).said == "a and b share no size"
