"""Forecasts against laws that can be inverted by hand, and the design rule against its own formula."""

from __future__ import annotations

import numpy as np
import pytest

from azeotrope.boundaries.images_needed import check_target, required, required_draws
from azeotrope.boundaries.next_runs import KAPPA, rank, settle_forecast
from azeotrope.boundaries.worth import effective_data
from azeotrope.curves.fitted.law_fit import Options
from azeotrope.curves.joint_draws import draw_curves
from azeotrope.errors import InputError
from curves.worlds import CROSSING, NONE, cells, runs


def exact(arms, *names):
    joint = cells(runs(arms, seeds=3, sd=1e-5), *names)
    return joint, draw_curves(joint, draws=200, form="power_floor", options=Options(priors=False))


def test_required_images_invert_the_law():
    """0.06 + 4 D^-0.45 = 0.15 at D = (4 / 0.09) ** (1 / 0.45)."""
    found = required(*exact(CROSSING, "scratch"), 0, 0.15)
    assert found.value == pytest.approx((4 / 0.09) ** (1 / 0.45), rel=0.01)
    assert found.p_never == 0
    assert found.arm == "scratch"


def test_a_target_below_the_floor_is_never_reached():
    found = required(*exact(CROSSING, "scratch"), 0, 0.05)
    assert found.p_never == 1
    assert found.value is None
    assert found.images.high == np.inf
    assert "rounds" in found.warnings[-1]


def test_no_point_value_far_beyond_the_data():
    """(4 / 0.005) ** (1 / 0.45) is 2.8 million images, 177 x the largest size."""
    found = required(*exact(CROSSING, "scratch"), 0, 0.065)
    assert found.value is None
    assert found.images.value == pytest.approx((4 / 0.005) ** (1 / 0.45), rel=0.05)
    assert "no point value" in found.warnings[0]


def test_a_target_already_reached_is_said():
    assert required(*exact(CROSSING, "scratch"), 0, 0.9).p_already == 1


def test_noise_widens_the_forecast_around_the_truth():
    joint = cells(runs(CROSSING), "scratch")
    found = required(joint, draw_curves(joint, draws=600), 0, 0.12)
    truth = (4 / 0.06) ** (1 / 0.45)
    assert found.images.low < truth < found.images.high
    assert found.images.high / found.images.low > 1.05


@pytest.mark.parametrize("target", [0.0, -0.1, 1.0, 5.0, float("nan"), float("inf")])
def test_a_target_that_is_no_error_is_refused(target):
    with pytest.raises(InputError, match="target error") as caught:
        check_target(target, bounded=True)
    assert "0.05" in str(caught.value)


def test_a_loss_may_be_asked_for_above_one():
    check_target(5.0, bounded=False)
    with pytest.raises(InputError, match="target error"):
        check_target(float("inf"), bounded=False)


def test_effective_data_invert_the_baseline():
    """At 1,000 images the challenger's error is E; the baseline reaches E at (4 / (E - 0.06)) ** (1 / 0.45)."""
    found = effective_data(*exact(NONE), 1000)
    error = 0.05 + 2.8 * 1000**-0.45
    assert found.value == pytest.approx((4 / (error - 0.06)) ** (1 / 0.45), rel=0.01)
    assert found.times.value == pytest.approx(found.value / 1000)
    assert found.times.value > 1


def test_beyond_the_crossing_the_challenger_is_worth_less_than_its_images():
    assert effective_data(*exact(CROSSING), 8000).times.high < 1


def test_the_design_rule_is_methods_formula():
    rng = np.random.default_rng(0)
    target = rng.normal(size=2000)
    signal = np.stack([target + rng.normal(size=2000), rng.normal(size=2000)], axis=1)
    noise, sizes = np.array([0.5, 0.5]), np.array([100.0, 200.0])
    best, other = rank(target, signal, noise, sizes, np.array([100.0]), lambda size: size)
    covariance = np.cov(target, signal[:, 0])
    expected = covariance[0, 1] ** 2 / (covariance[1, 1] + 0.5) / covariance[0, 0]
    assert (best.size, best.new_size, other.new_size) == (100, False, True)
    assert best.variance_removed == pytest.approx(expected)
    assert best.score == pytest.approx(expected / 100**KAPPA)


def test_a_dearer_size_is_ranked_lower():
    target = np.random.default_rng(0).normal(size=500)
    signal = np.stack([target, target], axis=1)
    ranked = rank(target, signal, np.ones(2), np.array([1.0, 2.0]), np.array([]), lambda size: 100 if size < 2 else 1)
    assert ranked[0].size == 2


def test_runs_that_settle_a_forecast_lie_towards_the_target():
    joint = cells(runs(CROSSING), "scratch")
    draws = draw_curves(joint, draws=600)
    best = settle_forecast(joint, draws, required_draws(joint, draws, 0, 0.09), price=lambda size: 1.0)[0]
    assert best.size >= 8000
