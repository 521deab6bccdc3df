"""The contract of every law: ours and any file that is added. Nothing here names a law, except to know which are
bounded."""

from __future__ import annotations

import numpy as np
import pytest

from azeotrope.errors import InputError
from azeotrope.laws._law import Floats, Law, law
from azeotrope.lookup import members
from azeotrope.solver.many import fit_many

LAWS = members("laws")
CHANCE = 0.9
LIKELY = {  # a plausible value at the reference, by the letter the formulas share
    "e": 0.05,
    "e0": CHANCE,
    "A": 0.3,
    "B": 0.15,
    "G": 0.1,
    "g": 0.08,
    "a": 0.4,
    "b": 0.45,
    "c": 0.5,
    "c0": 0.2,
    "c1": 0.4,
    "d": 1.2,
    "f": 0.4,
    "k": 0.5,
}


def truth(form: Law) -> Floats:
    """Parameters at the reference; `a` is a shape near 1 in the sigmoid and an exponent elsewhere."""
    values = LIKELY | ({"a": 0.8} if "e0" in form.names and "a" in form.names else {})
    return np.array([values[name] for name in form.names])


def sizes(form: Law) -> Floats:
    """Raw sizes [axes, n]: a grid that spans three decades along every axis."""
    rows = np.meshgrid(*[np.geomspace(200, 200_000, 12 if len(form.symbols) == 1 else 6) for _ in form.symbols])
    return np.array([row.ravel() for row in rows])


def scaled(x: Floats) -> Floats:
    return x / np.exp(np.log(x).mean(axis=1, keepdims=True))


@pytest.mark.parametrize("key", LAWS)
def test_noiseless_data_give_back_the_curve_and_the_parameters(key: str) -> None:
    form = law(key)
    x, params = sizes(form), truth(form)
    error = form.predict(params, scaled(x))
    fixed = {p.name: CHANCE for p in form.parameters if p.given}
    fits = fit_many(form, x, error, priors=False, fixed=fixed)
    np.testing.assert_allclose(fits.predict(x)[0], error, rtol=1e-5)
    np.testing.assert_allclose(fits.params[0], params, rtol=2e-2)


@pytest.mark.parametrize("key", LAWS)
def test_error_falls_with_every_size_and_stays_finite_and_bounded(key: str) -> None:
    form = law(key)
    x = np.geomspace(1e-6, 1e9, 400)
    for axis in range(len(form.symbols)):
        grid = np.ones((len(form.symbols), len(x)))
        grid[axis] = x
        error = form.predict(truth(form), grid)
        assert np.isfinite(error).all()
        assert (np.diff(error) <= 1e-12 * error[:-1]).all()
        assert (error >= 0).all()
        if "e0" in form.names:
            assert error.min() >= LIKELY["e"]
            assert error.max() <= CHANCE


@pytest.mark.parametrize("key", LAWS)
def test_gradient_is_that_of_the_prediction(key: str) -> None:
    form = law(key)
    x, params = scaled(sizes(form)), truth(form)
    error, by_log = form.gradient(params, x)
    np.testing.assert_allclose(error, form.predict(params, x), rtol=1e-12)
    step = 1e-5
    for i in range(len(params)):
        up, down = params.copy(), params.copy()
        up[i], down[i] = params[i] * np.exp(step), params[i] * np.exp(-step)
        numeric = (form.predict(up, x) - form.predict(down, x)) / (2 * step)
        np.testing.assert_allclose(by_log[i], numeric, rtol=1e-5, atol=1e-9, err_msg=form.names[i])


@pytest.mark.parametrize("key", LAWS)
def test_natural_parameters_at_raw_sizes_are_the_same_curve(key: str) -> None:
    form = law(key)
    x, params = sizes(form), truth(form)
    reference = np.exp(np.log(x).mean(axis=1))
    natural = form.natural(params, reference)
    np.testing.assert_allclose(form.predict(natural, x), form.predict(params, x / reference[:, None]), rtol=1e-9)


@pytest.mark.parametrize("key", LAWS)
def test_columns_times_linear_parameters_are_the_prediction(key: str) -> None:
    form = law(key)
    x, params = scaled(sizes(form)), truth(form)
    error = form.predict(params, x)
    columns = form.columns(params[None, form.nonlinear], x, error)
    np.testing.assert_allclose(params[form.linear] @ columns[0], error, rtol=1e-8)


@pytest.mark.parametrize("key", LAWS)
def test_leading_dimensions_are_replicates(key: str) -> None:
    form = law(key)
    x, params = scaled(sizes(form)), truth(form)
    many = np.stack([params, params * np.where(np.array(form.names) == "e0", 1.0, 1.1)])
    both = form.predict(many, x)
    assert both.shape == (2, x.shape[1])
    np.testing.assert_allclose(both[1], form.predict(many[1], x))


@pytest.mark.parametrize("key", LAWS)
def test_it_says_what_it_is(key: str) -> None:
    form = law(key)
    assert form.key == key
    assert form.reference
    assert form.right_when
    assert set(form.names) <= set(LIKELY), "give the new parameter a likely value in this file"
    assert all(p.unit and p.low < p.high for p in form.parameters)
    for name in form.names:
        assert name in form.formula


def test_an_unknown_law_is_refused_with_near_names() -> None:
    with pytest.raises(InputError, match=r"There is no law named 'power_flor'.*nearest: power_floor"):
        law("power_flor")
