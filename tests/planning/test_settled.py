"""When seeds bear out what the laws say: as many as a verdict asks for, and none the other way."""

import polars as pl
import pytest

from azeotrope.planning.settled import doubtful, pairs, spread_of
from azeotrope.reporting.page_verdicts import shared_by
from azeotrope.tables.frame import read_runs
from azeotrope.verdicts.differences import of_records
from azeotrope.verdicts.verdict import FEWEST_SEEDS, judge
from curves.worlds import power, records

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
    assert found.verdict.difference.low == pytest.approx(0.025 - 4.303 * 0.005 / 3**0.5, abs=1e-5)
    assert doubtful([found], 0.005) is found
    assert doubtful([found], 0.02) is None
    assert found.said == "the verdict of 3 paired seeds at 400 images is that a DOES NOT BEAT b"


def test_three_seeds_that_tie_learn_from_the_other_sizes_that_seeds_differ():
    """Alone, differences of 0.5, 0.5 and 0.5 points are certain; beside five sizes with sd 1 point they are not."""
    elsewhere = {
        100 * 2**place: (gain, gain + 0.02, gain + 0.01) for place, gain in enumerate((0.06, 0.05, 0.03, 0.02))
    }
    tied = curves(elsewhere | {1600: (-0.005, -0.005, -0.005), 3200: (0.0, 0.02, 0.01)})
    alone, moderated = (pairs(*tied, 1600, spread) for spread in (None, spread_of(tied)))
    assert alone.verdict.verdict == "DOES NOT BEAT"
    assert moderated.verdict.verdict == "INCONCLUSIVE"
    assert alone.against(0.004)
    assert not moderated.against(0.004)


def test_the_verdict_is_that_of_compare_on_the_same_records():
    """With test images counted, and a common variance over three arms and three sizes."""
    laws = {"distill": power(0.10, 2.8, 0.45), "scratch": power(0.01, 5.5, 0.45), "finetune": power(0.05, 4.0, 0.45)}
    runs = records(laws, sizes=(250, 1000, 4000), seeds=3, sd=0.03)
    frame = read_runs(runs)
    by_arm = {arm: [run for run in runs if run.arm == arm and run.train_images == 4000] for arm in laws}
    sizes = ([run for run in runs if run.train_images == size] for size in (250, 1000, 4000))
    found = pairs(
        frame.only("distill"), frame.only("scratch"), 4000, spread_of([frame.only(arm) for arm in sorted(laws)])
    )
    compared = judge(of_records(by_arm["distill"], by_arm["scratch"]), shared_by(list(sizes)).networks)
    for end in ("value", "low", "high"):
        assert getattr(found.verdict.difference, end) == pytest.approx(getattr(compared.difference, end), rel=1e-9)
    assert found.verdict.p == pytest.approx(compared.p, rel=1e-9)
    assert found.verdict.verdict == compared.verdict


def test_the_pair_that_lacks_most_is_named():
    enough, lacking = pairs(*curves(), 400), pairs(*curves(), 1600)
    assert doubtful([enough, lacking], 0.005) is lacking


def test_runs_without_seeds_are_counted_and_not_paired():
    """Without seeds, rows stand in the order of their errors, and their differences would look too sure."""
    found = pairs(*curves(seeds=False), 400)
    assert (found.seeds, found.verdict) == (3, None)


def test_curves_without_a_common_size():
    a, b = curves()[0], curves({50: (0.1, 0.1, 0.1)})[1]
    assert pairs(a, b, 100).said == "a and b share no size"
