"""Cells and their noise against the covariance that made the runs."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from azeotrope.curves.cells import joint_cells
from azeotrope.tables.frame import read_runs
from curves.worlds import CROSSING, cells, runs


def test_pooled_noise_recovers_the_covariance_of_paired_runs():
    found = cells(runs(CROSSING, seeds=200, sd=0.03, correlation=0.8))
    middle = found.noise[3]
    assert np.sqrt(np.diag(middle)) == pytest.approx([0.03, 0.03], rel=0.05)
    assert middle[0, 1] / np.sqrt(middle[0, 0] * middle[1, 1]) == pytest.approx(0.8, abs=0.03)
    assert found.freedom == pytest.approx(7 * 199, rel=0.01)


def test_repeats_at_one_size_share_no_seed_with_another():
    table = runs(CROSSING, seeds=5, neighbours=0.6)
    few = table.filter((pl.col("train_images") == 250) | (pl.col("seed") == 0))
    assert cells(few).freedom == 4


def test_seeds_that_sizes_share_leave_fewer_degrees_of_freedom():
    """(1 − ρ²) / (1 + ρ²) of them where residuals correlate by ρ to the power of the distance."""
    found = cells(runs(CROSSING, seeds=200, sd=0.03, neighbours=0.6))
    assert found.freedom == pytest.approx(7 * 199 * 0.64 / 1.36, rel=0.15)


def test_unpaired_runs_have_no_correlation():
    frame = read_runs(runs(CROSSING, seeds=20, correlation=0.9).drop("seed"))
    found = joint_cells([frame.only("distill"), frame.only("scratch")], "train_images")
    assert found.noise[0, 0, 1] == 0


def test_shared_seeds_carry_covariance_into_the_means():
    """Cov of two means of m runs, of which k are pairs: k c / m²."""
    table = runs(CROSSING, seeds=4)
    found = cells(table.filter((pl.col("arm") == "scratch") | (pl.col("seed") < 3)))
    noise, means = found.noise[0], found.noise_of_means()[0]
    assert means[0, 0] == pytest.approx(noise[0, 0] / 3)
    assert means[1, 1] == pytest.approx(noise[1, 1] / 4)
    assert means[0, 1] == pytest.approx(noise[0, 1] * 3 / 12)


def test_one_seed_gives_no_noise():
    found = cells(runs(CROSSING, seeds=1))
    assert found.noise is None
    assert found.noise_of_means() is None


def test_an_arm_may_lack_a_size():
    table = runs(CROSSING).filter((pl.col("arm") == "scratch") | (pl.col("train_images") > 300))
    found = cells(table)
    assert found.common.tolist() == [False] + [True] * 6
    assert len(found.curve(0).error) == 6
    assert np.isfinite(np.linalg.cholesky(found.noise_of_means())).all()
