"""Weights from hold-out, noise, intervals and the profile, on worlds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from azeotrope.curves.cells import Cells, plain
from azeotrope.curves.fitted import average
from azeotrope.curves.fitted.draws import prediction_draws, replicates
from azeotrope.curves.fitted.law_fit import Options, fit_form
from azeotrope.curves.noise import pooled
from azeotrope.fitting.profile import floor_interval, identified, profile
from azeotrope.laws._law import law

X = np.geomspace(250, 16000, 7)
LAWS = [law(key) for key in ("power", "power_floor", "shifted")]


def cells(floor: float, noise: float, seed: int = 0, sizes: np.ndarray = X) -> Cells:
    rng = np.random.default_rng(seed)
    error = (floor + 0.4 * (sizes / 1000) ** -0.5) * np.exp(noise * rng.standard_normal(len(sizes)))
    n = len(sizes)
    return Cells(sizes[None], error, np.full(n, 3), np.full(n, noise))


def test_weights_go_to_the_law_that_foresees_and_none_below_the_floor() -> None:
    curve = cells(0.1, 0.005)
    held = average.hold_out(LAWS, curve, Options())
    share = average.weights(held, len(LAWS))
    assert share.sum() == pytest.approx(1)
    assert share.argmax() != 0  # a pure power misses a curve with a floor
    assert share.min() >= average.LEAST_WEIGHT / (1 + len(LAWS) * average.LEAST_WEIGHT)


def test_weights_are_equal_when_nothing_can_be_held_out() -> None:
    held = average.hold_out(LAWS, cells(0.1, 0.01, sizes=X[:4]), Options())
    assert held.squared_error is None
    np.testing.assert_allclose(average.weights(held, 3), 1 / 3)


def test_at_least_four_sizes_stay_in_every_hold_out() -> None:
    """And five where there are eight sizes or more, for the law with a break is then among them."""
    for count in (5, 6, 7, 8, 9, 20):
        sizes = np.geomspace(100, 1e5, count)
        held = average.hold_out(LAWS, cells(0.1, 0.01, sizes=sizes), Options())
        assert held.cuts
        assert all((sizes <= cut).sum() >= (4 if count < 8 else 5) for cut in held.cuts)


def test_average_is_the_weighted_geometric_mean() -> None:
    forms = [fit_form(form, cells(0.1, 0.01), Options()) for form in LAWS[:2]]
    a, b = (form.predict(np.array([[5e4]]))[0] for form in forms)
    assert average.predict(forms, np.array([0.25, 0.75]), np.array([[5e4]]))[0] == pytest.approx(a**0.25 * b**0.75)


def test_pooled_noise_recovers_its_law() -> None:
    rng = np.random.default_rng(0)
    error = np.geomspace(0.05, 0.8, 60)
    sd = 0.03 * (error / 0.2) ** -0.7
    runs = sd[:, None] * rng.standard_normal((60, 8))
    found = pooled(error, runs.var(axis=1, ddof=1), np.full(60, 7.0))
    assert found is not None
    np.testing.assert_allclose(found.of_run(error), sd, rtol=0.15)
    assert found.freedom == 420


def test_pooled_noise_leans_on_the_binomial_power_with_few_seeds() -> None:
    found = pooled(np.array([0.1, 0.3]), np.array([4e-4, 4e-4]), np.array([1.0, 1.0]))
    assert found is not None
    assert -0.75 < found.power < 0.0
    assert pooled(np.array([0.1]), np.array([0.0]), np.array([0.0])) is None


def test_spread_is_the_larger_of_noise_and_misfit() -> None:
    right = fit_form(law("power_floor"), cells(0.1, 0.03), Options())
    np.testing.assert_array_less(0.03 - 1e-12, right.spread)
    wrong = fit_form(law("power"), cells(0.2, 0.001), Options())
    np.testing.assert_allclose(wrong.spread, wrong.misfit)
    assert wrong.misfit > 0.02


def test_draws_are_reproducible_and_mixed_by_weight() -> None:
    forms = [fit_form(form, cells(0.1, 0.02), Options()) for form in LAWS[:2]]
    x = np.array([[5e4]])
    share = np.array([0.1, 0.9])
    one, two = (prediction_draws(forms, share, x, 200, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (200, 1)
    first = np.log(replicates(forms[0], 20, np.random.default_rng(5)).predict(x))
    np.testing.assert_array_equal(one[:20], first)


def test_many_cells_are_resampled_and_few_are_moved() -> None:
    few = fit_form(law("power"), plain(X, 0.4 * (X / 1000) ** -0.3), Options())
    spread_few = np.log(replicates(few, 300, np.random.default_rng(0)).predict(X[-1:])).std()
    assert spread_few > 0.003  # at least the least spread, although the data lie on the law
    many = np.geomspace(100, 1e5, 40)
    exact = fit_form(law("power"), plain(many, 0.4 * (many / 1000) ** -0.3), Options())
    resampled = np.log(replicates(exact, 300, np.random.default_rng(0)).predict(X[-1:]))
    assert resampled.std() < 1e-9  # drawing rows of a perfect law changes nothing


def test_a_clear_floor_is_identified_and_inside_its_profile() -> None:
    form = fit_form(law("power_floor"), cells(0.15, 0.01, sizes=np.geomspace(100, 1e6, 12)), Options())
    told = identified(form)
    assert told["e"]
    assert told["b"]
    found = floor_interval(form)
    assert found.low < 0.15 < found.high
    assert found.low > 0


def test_a_floor_that_the_runs_do_not_show_is_not_identified() -> None:
    form = fit_form(law("power_floor"), cells(0.0, 0.03), Options())
    assert form.fits.params[0, 0] > 0.01  # the prior supplies one
    assert not identified(form)["e"]
    assert floor_interval(form).low == 0.0


def test_exponent_of_a_free_sigmoid_on_seven_points_is_not_identified() -> None:
    rng = np.random.default_rng(2)
    error = (0.1 + 0.4 * (X / 1000) ** -0.5) * np.exp(0.03 * rng.standard_normal(7))
    form = fit_form(law("sigmoid"), plain(X, np.minimum(error, 0.85), 0.9), Options())
    assert not identified(form)["a"]


def test_profile_is_zero_at_the_best_and_rises_from_it() -> None:
    form = fit_form(law("power"), cells(0.0, 0.02), Options(priors=False))
    best = form.fits.params[0, 1]
    seen = profile(form, "b", best * np.array([0.7, 0.9, 1.0, 1.1, 1.4]))
    assert seen.deviance[2] == pytest.approx(0, abs=1e-6)
    assert (np.diff(seen.deviance[:3]) < 0).all()
    assert (np.diff(seen.deviance[2:]) > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["power", "power_floor", "shifted", "bounded", "sigmoid"])
def test_intervals_cover_when_the_law_is_right(key: str) -> None:
    """60 worlds a law, 7 sizes, 3 seeds, predictions at twice the data: nominal 90 %. Fixed seeds."""
    form, chance = law(key), 0.9
    values = {"e": 0.06, "A": 0.3, "b": 0.5, "g": 0.1, "a": 0.8, "e0": chance}
    params = np.array([values[name] for name in form.names])
    reference = np.exp(np.log(X).mean())
    truth = form.predict(params, X[None] / reference)
    ahead = np.array([[2 * X[-1]]])
    goal = np.log(form.predict(params, ahead / reference))[0]
    laws = [law(name) for name in ("power", "power_floor", "shifted", "bounded", "sigmoid")]
    hits = []
    for world in range(60):
        rng = np.random.default_rng(world)
        noise = 0.02 / np.sqrt(3)
        curve = Cells(X[None], truth * np.exp(noise * rng.standard_normal(7)), np.full(7, 3), np.full(7, noise), chance)
        forms = [fit_form(one, curve, Options()) for one in laws]
        share = average.weights(average.hold_out(laws, curve, Options()), len(laws))
        draws = prediction_draws(forms, share, ahead, 200, rng)[:, 0]
        low, high = np.quantile(draws, [0.05, 0.95])
        hits.append(low <= goal <= high)
    assert np.mean(hits) >= 0.8
