"""Values that follow from the formulas by hand, law by law."""

from __future__ import annotations

import numpy as np
import pytest

from azeotrope.laws._law import law

X = np.array([[0.5, 1.0, 2.0, 64.0]])


def test_sigmoid_solves_its_own_equation() -> None:
    floor, scale, b, a, chance = params = np.array([0.05, 0.7, 0.6, 1.7, 0.9])
    error = law("sigmoid").predict(params, X)
    np.testing.assert_allclose((error - floor) / (chance - error) ** a, scale * X[0] ** -b, rtol=1e-10)


def test_sigmoid_with_shape_one_is_bounded() -> None:
    sigmoid = law("sigmoid").predict(np.array([0.05, 0.7, 0.6, 1.0, 0.9]), X)
    np.testing.assert_allclose(sigmoid, law("bounded").predict(np.array([0.05, 0.7, 0.6, 0.9]), X), rtol=1e-12)


@pytest.mark.parametrize("shape", [0.05, 0.3, 4.0, 20.0])
def test_sigmoid_stays_between_floor_and_chance_for_extreme_shapes(shape: float) -> None:
    x = np.geomspace(1e-12, 1e12, 200)[None]
    error = law("sigmoid").predict(np.array([0.05, 0.7, 3.0, shape, 0.9]), x)
    assert error.max() <= 0.9
    assert error.min() >= 0.05


def test_bounded_is_the_weighted_mean_of_the_formula() -> None:
    odds = 0.7 * X[0] ** -0.6
    expected = (0.05 + 0.9 * odds) / (1 + odds)
    np.testing.assert_allclose(law("bounded").predict(np.array([0.05, 0.7, 0.6, 0.9]), X), expected, rtol=1e-12)


def test_broken_has_its_two_slopes_far_from_the_break() -> None:
    params = np.array([1e-12, 0.3, 0.2, 0.5, 1.0, 0.3])
    x = np.array([[1e-9, 1e-8, 1e8, 1e9]])
    error = np.log10(law("broken").predict(params, x))
    assert error[1] - error[0] == pytest.approx(-0.2, abs=1e-6)
    assert error[3] - error[2] == pytest.approx(-0.7, abs=1e-3)


def test_effective_data_counts_pretraining_as_images() -> None:
    form = law("effective_data")
    params = np.array([0.1, 0.5, 3.0, 0.5, 0.4])
    worth = 3.0 * 16.0**0.5  # 12 images
    with_pretraining = form.predict(params, np.array([[16.0], [2.0]]))
    without = form.predict(params, np.array([[0.0], [2.0 + worth]]))
    np.testing.assert_allclose(with_pretraining, without, rtol=1e-12)


def test_transfer_gap_tends_to_the_gap_with_endless_pretraining() -> None:
    form = law("transfer_gap")
    error = form.predict(np.array([0.1, 0.5, 0.2, 0.7, 0.4]), np.array([[1e30], [4.0]]))
    np.testing.assert_allclose(error, 0.1 + 0.2 * 4.0**-0.4, rtol=1e-9)


def test_additive_and_multiplicative_by_hand() -> None:
    x = np.array([[4.0], [9.0]])
    additive = law("additive").predict(np.array([0.1, 0.2, 0.3, 0.5, 0.5]), x)
    np.testing.assert_allclose(additive, 0.1 + 0.2 / 2 + 0.3 / 3)
    multiplicative = law("multiplicative").predict(np.array([0.1, 0.6, 0.5, 0.5]), x)
    np.testing.assert_allclose(multiplicative, 0.1 + 0.6 / 2 / 3)
