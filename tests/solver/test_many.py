"""The vectorised core against SciPy, one problem at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares, nnls

from azeotrope.errors import InputError
from azeotrope.laws._law import law
from azeotrope.solver.many import fit_many, make_goal
from azeotrope.solver.polish import EXACT, REFIT
from azeotrope.solver.varpro import _non_negative

X = np.geomspace(250, 16000, 9)


def noisy(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.08 + 0.4 * (X / 1000) ** -0.5) * np.exp(0.03 * rng.standard_normal((count, len(X))))


@pytest.mark.parametrize("key", ["power", "power_floor", "shifted"])
def test_each_replicate_is_as_good_as_scipy_from_its_answer_and_elsewhere(key: str) -> None:
    form, error = law(key), noisy(4)
    fits = fit_many(form, X, error, priors=False)
    scaled = X[None] / fits.reference[:, None]
    rng = np.random.default_rng(1)
    for row, params, objective in zip(error, fits.params, fits.objective, strict=True):

        def residual(theta: np.ndarray, row: np.ndarray = row) -> np.ndarray:
            return np.log(form.predict(np.exp(theta), scaled)) - np.log(row)

        for start in [np.log(params), *(np.log(params) + rng.normal(0, 0.3, (3, len(params))))]:
            assert objective <= least_squares(residual, start).cost * (1 + 1e-6)


def test_batch_and_single_fits_agree() -> None:
    form, error = law("power_floor"), noisy(20)
    together = fit_many(form, X, error, weights=1 / 0.03**2)
    for row in (0, 7):
        goal = make_goal(
            form,
            X[None] / together.reference[:, None],
            error,
            weights=1 / 0.03**2,
            fixed={},
            priors=True,
            huber=None,
            space="log",
        )
        value = goal.of(np.array([row])).local(np.log(together.params[[row]])).value
        assert value[0] == pytest.approx(together.objective[row], rel=1e-9)
    assert together.converged.all()


@pytest.mark.parametrize("key", ["power_floor", "shifted", "bounded", "sigmoid"])
def test_quick_refits_end_where_exact_ones_do(key: str) -> None:
    """In what they foresee at eight times the data: the ends of a 90 % interval within half a per cent of its width."""
    form, error, fixed = law(key), noisy(200), {"e0": 0.9} if key in ("bounded", "sigmoid") else {}
    start = fit_many(form, X, error[0], weights=1 / 0.03**2, fixed=fixed).params[0]
    exact, quick = (
        np.quantile(
            fit_many(form, X, error, weights=1 / 0.03**2, fixed=fixed, start=start, effort=effort).predict([128_000.0]),
            [0.05, 0.95],
        )
        for effort in (EXACT, REFIT)
    )
    assert np.abs(quick - exact).max() < 0.005 * np.ptp(exact)


def test_weight_zero_is_the_same_as_leaving_the_point_out() -> None:
    error = noisy(1)
    weights = np.ones(len(X))
    weights[3] = 0
    kept = weights > 0
    with_zero = fit_many(law("power_floor"), X, error, weights=weights, priors=False)
    without = fit_many(law("power_floor"), X[kept], error[:, kept], priors=False)
    np.testing.assert_allclose(with_zero.predict(X), without.predict(X), rtol=1e-5)


def test_huber_ignores_how_far_an_outlier_is() -> None:
    clean = noisy(1)
    near, far = clean.copy(), clean.copy()
    near[0, 4] *= 2
    far[0, 4] *= 8
    by_huber = [fit_many(law("power_floor"), X, y, priors=False, huber=1e-3).predict(X) for y in (near, far)]
    by_squares = [fit_many(law("power_floor"), X, y, priors=False).predict(X) for y in (near, far)]
    np.testing.assert_allclose(by_huber[0], by_huber[1], rtol=1e-3)
    assert np.abs(np.log(by_squares[0] / by_squares[1])).max() > 0.1


def test_priors_hold_a_floor_that_the_data_do_not() -> None:
    error = 0.4 * (X / 1000) ** -0.3  # a pure power: nothing speaks for a floor
    free = fit_many(law("power_floor"), X, error, priors=False)
    held = fit_many(law("power_floor"), X, error, weights=1 / 0.05**2)
    lowest = error.min()
    assert free.params[0, 0] < 0.02 * lowest
    assert 0.05 * lowest < held.params[0, 0] < 0.6 * lowest


def test_fixed_parameters_stay() -> None:
    fits = fit_many(law("power_floor"), X, noisy(5), priors=False, fixed={"e": 0.05})
    np.testing.assert_allclose(fits.params[:, 0], 0.05)
    every = fit_many(law("power"), X, noisy(5), priors=False, fixed={"A": 0.3})
    np.testing.assert_allclose(every.params[:, 0], 0.3)


def test_non_negative_solve_is_scipys() -> None:
    rng = np.random.default_rng(3)
    columns, target, weights = rng.normal(size=(6, 3, 12)), rng.normal(size=(2, 12)), rng.uniform(0.5, 2, (2, 12))
    solved, misfit = _non_negative(columns, target, weights, np.zeros((6, 12)))
    for r in range(2):
        for k in range(6):
            root = np.sqrt(weights[r])
            expected, norm = nnls((columns[k] * root).T, target[r] * root)
            np.testing.assert_allclose(solved[r, k], expected, atol=1e-7)
            assert misfit[r, k] == pytest.approx(norm**2, rel=1e-6)


@pytest.mark.parametrize("space", ["log", "logit", "error"])
def test_every_space_finds_noiseless_truth(space: str) -> None:
    error = 0.05 + 0.3 * (X / 1000) ** -0.4
    fits = fit_many(law("power_floor"), X, error, priors=False, space=space)  # type: ignore[arg-type]
    np.testing.assert_allclose(fits.predict(X)[0], error, rtol=1e-6)


def test_a_known_constant_must_be_given() -> None:
    with pytest.raises(
        InputError, match=r"'bounded' needs the error of guessing.*Next: give records with their classes"
    ):
        fit_many(law("bounded"), X, noisy(1))


def test_zero_sizes_are_refused_where_the_formula_has_none() -> None:
    x = np.array([[0.0, 10, 20], [100, 200, 400]])
    with pytest.raises(InputError, match=r"'multiplicative' needs sizes above zero.*X = 0.*effective_data"):
        fit_many(law("multiplicative"), x, [0.5, 0.4, 0.3])


def test_wrong_number_of_axes_is_refused() -> None:
    with pytest.raises(InputError, match=r"'additive' is a formula in N and D"):
        fit_many(law("additive"), X, noisy(1))
