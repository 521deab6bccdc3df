"""Sign changes of curves whose roots are known by algebra."""

from __future__ import annotations

import numpy as np
import pytest

from azeotrope.boundaries.confidence_set import confidence_set
from azeotrope.boundaries.crossings import log_grid, sign_changes
from azeotrope.boundaries.outcome import decide
from curves.worlds import CROSSING, CROSSING_AT, NONE, SEVEN, WINDOW

GRID = log_grid(SEVEN)


def difference(arms) -> np.ndarray:
    return (arms[1](GRID) - arms[0](GRID))[None]


def test_equal_exponents_cross_where_algebra_says():
    found = sign_changes(difference(CROSSING), GRID)
    assert found.single("down").tolist() == [True]
    assert found.first[0] == pytest.approx(CROSSING_AT, rel=1e-3)


def test_the_other_arm_first_crosses_upwards():
    found = sign_changes(-difference(CROSSING), GRID)
    assert found.single("up").tolist() == [True]
    assert found.crossing("up")[0] == pytest.approx(CROSSING_AT, rel=1e-3)


def test_a_window_has_two_changes():
    found = sign_changes(difference(WINDOW), GRID)
    assert found.count.tolist() == [2]
    size = np.array([found.first[0], found.last[0]])
    assert WINDOW[1](size) - WINDOW[0](size) == pytest.approx([0, 0], abs=1e-4)
    assert np.isnan(found.crossing("down")[0])


def test_curves_that_keep_their_sign_cross_beyond_the_grid():
    ahead = sign_changes(difference(NONE), GRID)
    assert ahead.never(ahead=True).tolist() == [True]
    assert ahead.crossing("down").tolist() == [np.inf]
    assert ahead.crossing("up").tolist() == [0.0]


def test_a_curve_that_explodes_beyond_the_data_is_read_without_overflow():
    found = sign_changes(np.array([[1e6, 1e9, -1e9, -1e300]]), np.array([1.0, 10.0, 100.0, 1000.0]))
    assert found.first[0] == pytest.approx(10**1.5)


def test_the_grid_reaches_a_third_below_and_ten_times_above():
    assert GRID[[0, -1]] == pytest.approx([250 / 3, 160_000])


@pytest.mark.parametrize(
    ("p_win", "pieces"),
    [
        ([1, 1, 0.5, 0, 0], 1),
        ([1, 1, 1, 1, 1], 0),
        ([1, 0.5, 1, 0.5, 0], 2),
        ([1, 1, 0, 0, 0], 1),
    ],
)
def test_the_confidence_set_comes_in_pieces(p_win, pieces):
    assert len(confidence_set(np.array(p_win, float), np.array([1.0, 10, 100, 1000, 10000]))) == pieces


def test_a_piece_that_reaches_the_end_is_open():
    (piece,) = confidence_set(np.array([1, 1, 0.5, 0.5]), np.array([1.0, 10, 100, 1000]))
    assert piece.high is None
    assert 10 < piece.low < 100


def test_piece_ends_are_interpolated_in_log_size():
    """p falls from 1 to 0 over one decade, linearly in log size: 0.95 and 0.05 lie at 10^0.05 and 10^0.95."""
    (piece,) = confidence_set(np.linspace(1, 0, 11), np.geomspace(1, 10, 11))
    assert (piece.low, piece.high) == pytest.approx((10**0.05, 10**0.95))


def outcome(*curves: np.ndarray, practical: float = 0.005) -> str:
    return decide(np.concatenate(curves), GRID, 250.0, 16000.0, practical)


def test_outcomes_of_certain_curves():
    assert outcome(difference(CROSSING)) == "crossing_bracketed"
    assert outcome(difference(NONE)) == "distill_always"
    assert outcome(-difference(NONE)) == "distill_never"
    assert outcome(difference(WINDOW)) == "window"
    assert outcome(difference(NONE) * 0.01) == "practically_equal"


def test_a_crossing_beyond_the_data_is_extrapolated():
    beyond = (0.1 * (np.log(40_000) - np.log(GRID)))[None]
    assert outcome(beyond) == "crossing_extrapolated"


def test_draws_that_disagree_are_undetermined():
    assert outcome(difference(NONE), -difference(NONE)) == "undetermined"


def test_a_gap_that_vanishes_is_practically_equal_though_its_sign_wavers():
    vanishing = 0.1 * (GRID / 250) ** -1.5
    assert outcome((vanishing + 0.001)[None], (vanishing - 0.001)[None]) == "practically_equal"


def test_a_crossing_near_the_largest_size_is_no_equality():
    assert outcome((0.02 * np.log(14_000 / GRID))[None]) == "crossing_bracketed"
