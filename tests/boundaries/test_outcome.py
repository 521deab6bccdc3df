"""Outcomes of curves written by hand."""

import numpy as np
import pytest

from azeotrope.boundaries.outcome import decide

GRID = np.geomspace(10, 10_000, 61)


def outcome(curve, practical=0.005):
    """Of two hundred draws that are this curve, data from 30 to 3,000."""
    return decide(np.tile(curve, (200, 1)), GRID, 30, 3000, practical)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_arm_that_is_behind_by_less_than_counts_has_lost_nothing(sign):
    """Ahead by 3 points at most sizes, behind by 0.3 points below 60."""
    curve = np.where(GRID < 60, -0.003, 0.03) * sign
    assert outcome(curve) == ("distill_always" if sign == 1 else "distill_never")
    assert outcome(curve, practical=0.001) == "crossing_bracketed"


def test_a_crossing_outside_the_data_is_extrapolated_and_one_inside_that_does_not_count_is_not():
    inside_only = np.where(GRID < 60, -0.003, 0.03)
    assert outcome(inside_only) == "distill_always"
    outside = np.where(GRID > 6000, -0.03, 0.03)
    assert outcome(outside) == "crossing_extrapolated"


def test_ahead_nowhere_by_what_counts_is_no_win():
    assert outcome(np.full(GRID.shape, 0.004)) == "practically_equal"
    upper = np.where(GRID < 300, 0.004, -0.004)
    assert outcome(upper) == "practically_equal"
