"""The reference optimum on the points read off Hoffmann et al.'s figure (Besiroglu et al. 2024, arXiv 2404.10102)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from azeotrope.laws._law import law
from azeotrope.solver.many import HUBER_DELTA, Fits, fit_many
from published import published


def _fit(table: pl.DataFrame) -> Fits:
    x = np.stack([table["parameters"].to_numpy(), table["train_tokens"].to_numpy()])
    return fit_many(law("additive"), x, table["loss"].to_numpy(), priors=False, huber=HUBER_DELTA, starts_each=3)


def test_reference_optimum_of_the_240_points() -> None:
    fits = _fit(published("chinchilla.csv").filter(pl.col("used") == 1))
    e, big_a, big_b, a, b = fits.natural()[0]
    assert e == pytest.approx(1.8172, abs=1e-3)
    assert a == pytest.approx(0.3473, abs=1e-3)
    assert b == pytest.approx(0.3672, abs=2e-3)
    assert big_a == pytest.approx(477.8, rel=0.02)
    assert big_b == pytest.approx(2143, rel=0.03)
    assert fits.objective[0] == pytest.approx(1.01827e-3, rel=1e-5)


def test_all_245_points_give_the_other_published_optimum() -> None:
    e, *_, b = _fit(published("chinchilla.csv")).natural()[0]
    assert e == pytest.approx(1.891, abs=2e-3)
    assert b == pytest.approx(0.453, abs=2e-3)


def test_scipy_from_this_optimum_finds_nothing_lower() -> None:
    table = published("chinchilla.csv").filter(pl.col("used") == 1)
    fits = _fit(table)
    log_n, log_d, log_l = (np.log(table[name].to_numpy()) for name in ("parameters", "train_tokens", "loss"))

    def objective(point: np.ndarray) -> float:
        log_e, log_a, log_b, a, b = point
        predicted = np.logaddexp(np.logaddexp(log_a - a * log_n, log_b - b * log_d), log_e)
        size = np.abs(predicted - log_l)
        return float(np.where(size <= 1e-3, size**2 / 2, 1e-3 * (size - 5e-4)).sum())

    e, big_a, big_b, a, b = fits.natural()[0]
    here = np.array([np.log(e), np.log(big_a), np.log(big_b), a, b])
    assert objective(here) == pytest.approx(fits.objective[0], rel=1e-9)
    lower = minimize(objective, here, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14}).fun
    assert lower > fits.objective[0] * (1 - 1e-6)
