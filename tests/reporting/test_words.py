import pytest

from azeotrope.reporting import words
from azeotrope.reporting.numbers import Estimate


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (4.21, "4.2 s"),
        (99.94, "99.9 s"),
        (99.96, "1 min 40 s"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.9, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (12 * 86400, "12 days"),
    ],
)
def test_a_duration_keeps_two_figures_that_matter(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(None, "–"), (9999, "9,999"), (4_600_000, "4.6 M"), (1.2e9, "1.2 G"), (3.4e12, "3.4 T")]
)
def test_a_count_is_short(number, text):
    assert words.count(number) == text


def test_a_missing_error_is_a_dash_and_never_zero():
    assert words.percent(None) == "–"
    assert words.percent_interval(None) == "–"
    assert words.percent(0.0) == "0.0 %"


def test_an_interval_that_says_nothing_is_not_shown():
    assert words.percent_interval(Estimate(value=0.196, low=0.0, high=1.0)) == "19.6 %"
    assert words.percent_interval(Estimate(value=0.196, low=0.19, high=0.202)) == "19.6 % [19.0, 20.2]"


def test_a_difference_that_rounds_to_zero_has_no_sign():
    assert words.points(-0.0002) == "0.0 points"
    assert words.gain(Estimate(value=0.0002, low=-1, high=1)) == "0.0"


def test_a_gain_is_error_saved_with_its_bounds_in_order():
    assert words.gain_interval(Estimate(value=-0.019, low=-0.026, high=-0.012)) == "+1.9 [1.2, 2.6]"
