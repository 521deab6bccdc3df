"""Verdicts of a page together: moderated variances, Holm, and seeds that would settle."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from azeotrope.verdicts.differences import Differences
from azeotrope.verdicts.moderated import Common, Spread, common
from azeotrope.verdicts.more_seeds import chance, seeds_needed
from azeotrope.verdicts.page import common_of, holm, judged
from azeotrope.verdicts.sampling import binomial_variance, image_variance
from azeotrope.verdicts.stopping import LEVEL_OF_A_LOOK, LOOKS, level_of, next_look
from azeotrope.verdicts.verdict import judge


def pair(values: list[float], a: str = "a", b: str = "b", images: float | None = None) -> Differences:
    return Differences(a, b, tuple(range(len(values))), tuple(values), 0.15, images)


def test_holms_table_of_1979():
    """Four p-values, adjusted by hand: times 4, 3, 2, 1, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.2, None, 0.9]) == [pytest.approx(0.4), None, pytest.approx(0.9)]


def test_p_of_a_lone_pair_is_scipys():
    values = [-0.012, -0.02, -0.009, -0.004]
    assert judge(pair(values)).p == pytest.approx(stats.ttest_1samp(values, 0).pvalue, rel=1e-6)


def test_p_and_interval_agree_with_both_sources_of_error():
    """An interval at level 1 - p touches zero."""
    found = judge(pair([-0.012, -0.02, -0.009, -0.004], images=0.003**2))
    again = judge(pair([-0.012, -0.02, -0.009, -0.004], images=0.003**2), level=1 - found.p)
    assert again.difference.high == pytest.approx(0, abs=1e-6)


def test_one_pair_has_nothing_to_learn_from():
    assert common([Spread(0.01, 2, 0.1)], 2) is None
    assert common_of([[pair([0.1, 0.2, 0.3])]]) is None


def test_alike_spreads_are_drawn_together_and_unlike_ones_less():
    """Many spreads of one variance: a lucky one comes near it. Spreads over four orders: the page is
    worth the least that it may be, one degree of freedom beside the two of its own.
    """
    rng = np.random.default_rng(0)
    alike = [Spread(float(v), 2, 0.15) for v in 1e-4 * rng.chisquare(2, 60) / 2]
    unlike = [Spread(float(v), 2, 0.15) for v in 1e-4 * np.exp(rng.normal(0, 3, 60)) * rng.chisquare(2, 60) / 2]
    lucky = Spread(1e-7, 2, 0.15)
    near, freedom = common([*alike, lucky], 60).moderate(lucky)
    assert near == pytest.approx(1e-4, rel=0.3)
    assert freedom > 10
    far, fewer = common([*unlike, lucky], 60).moderate(lucky)
    assert far < near / 3
    assert fewer == pytest.approx(3, rel=0.05)


def test_a_page_has_no_more_freedom_than_its_runs():
    """Three arms and three seeds hold four degrees of freedom, whatever their three pairs claim."""
    rng = np.random.default_rng(1)
    arms = {name: rng.normal(0.15, 0.005, 3) for name in "abc"}
    pairs = [pair(list(arms[x] - arms[y]), x, y) for x, y in ("ab", "ac", "bc")]
    found = common_of([pairs])
    assert isinstance(found, Common)
    assert found.moderate(pairs[0].spread)[1] <= 4 + 1e-9


@pytest.mark.parametrize("seeds", [3, 5])
def test_false_calls_stay_near_5_in_100_and_power_rises(seeds):
    """400 pages of four arms, apart from the seeds of the benchmark, which publishes finer numbers."""
    rng, false, plain, called, alone, of = np.random.default_rng(5), 0, 0, 0, 0, 0
    for _ in range(400):
        errors = rng.normal(0.15, 0.005, (4, seeds))
        for gain in (0.0, 0.0107):
            shifted = errors - np.array([[gain], [0], [0], [0]])
            pairs = [pair(list(shifted[a] - shifted[b]), str(a), str(b)) for a in range(4) for b in range(a + 1, 4)]
            made = judged(pairs[:3], common_of([pairs]))
            sure = sum(one.alone.verdict != "INCONCLUSIVE" for one in made)
            lone = sum(judge(one).verdict != "INCONCLUSIVE" for one in pairs[:3])
            false, called = false + sure * (gain == 0), called + sure * (gain > 0)
            plain, alone = plain + lone * (gain == 0), alone + lone * (gain > 0)
        of += 3
    assert 0.025 < false / of < 0.07
    assert 0.025 < plain / of < 0.07
    assert called > 1.15 * alone


def test_what_seeds_and_images_do_together_is_counted_once():
    """Independent bits: all variance over images is in the variance over seeds already."""
    rng = np.random.default_rng(2)
    bits = (rng.random((200, 2, 5, 400)) < 0.2).astype(float)
    found = [image_variance(a - b) for a, b in bits]
    naive = 2 * 0.2 * 0.8 / 400 / 5
    assert np.mean(found) < 0.2 * naive


def test_images_that_decide_alike_for_all_seeds_count_in_full():
    wrong = (np.random.default_rng(3).random(1000) < 0.1).astype(float)
    assert image_variance(np.tile(wrong, (4, 1))) == pytest.approx(wrong.var(ddof=1) / 1000)


def test_without_outcomes_the_binomial_is_the_bound():
    assert binomial_variance(0.1, 0.2, 100) == pytest.approx((0.09 + 0.16) / 100)


def test_seeds_needed_matches_a_simulation():
    """The chance that it forecasts is how often fresh seeds settle, given a flat prior on the truth."""
    rng, mean, sd, now, then = np.random.default_rng(4), 0.01, 0.012, 4, 9
    truth = rng.normal(mean, sd / np.sqrt(now), 40_000)
    total = (now * mean + (then - now) * rng.normal(truth, sd / np.sqrt(then - now))) / then
    half = stats.t.ppf(0.975, 100 + then - now) * sd / np.sqrt(then)
    expected = np.mean(np.abs(total) > half)
    found = chance(mean, sd**2, 100, 0.0, now, np.array([then]), 0.95)
    assert found[0] == pytest.approx(expected, abs=0.01)


def test_more_seeds_cannot_help_a_test_set_that_is_too_small():
    assert seeds_needed(0.004, 1e-6, 2, 0.01**2, 3, 0.95) is None
    assert seeds_needed(0.02, 0.02**2, 2, 0.0, 3, 0.95) <= 12


def test_an_inconclusive_verdict_says_how_many_and_a_settled_one_nothing():
    open_, settled = judge(pair([-0.02, 0.005, -0.02])), judge(pair([-0.02, -0.021, -0.02]))
    assert open_.verdict == "INCONCLUSIVE"
    assert open_.seeds_needed > 3
    assert settled.seeds_needed is None


def test_looks_go_on_while_something_is_open():
    assert [next_look(1, seeds) for seeds in (3, 5, 8, 12)] == [5, 8, 12, None]
    assert next_look(0, 3) is None
    assert (level_of(()), level_of((3, 5))) == (0.95, LEVEL_OF_A_LOOK)


def test_all_looks_together_call_equal_arms_different_in_about_5_of_100():
    """Looking at four numbers of seeds at 95 % would be wrong in about 11."""
    rng, wrong, naive = np.random.default_rng(6), 0, 0
    for values in rng.normal(0, 0.007, (3000, LOOKS[-1])):
        p = [stats.ttest_1samp(values[:seeds], 0).pvalue for seeds in LOOKS]
        wrong += min(p) < 1 - LEVEL_OF_A_LOOK
        naive += min(p) < 0.05
    assert 0.04 < wrong / 3000 < 0.062
    assert naive / 3000 > 0.08
