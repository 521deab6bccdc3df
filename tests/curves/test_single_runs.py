"""With one run a size, what a run gets wrong alone is in what the law misses: test images add only what runs share."""

import numpy as np
import polars as pl
import pytest

from azeotrope.curves.cells import joint_cells
from azeotrope.curves.law_fit import Options, fit_form
from azeotrope.laws._law import law
from azeotrope.tables.frame import read_runs
from azeotrope.testing.worlds import CROSSING, SEVEN, runs

WORLDS, MIDDLE = 80, 3


def cells_of(table):
    frame = read_runs(table)
    return joint_cells([frame.only("distill"), frame.only("scratch")], "train_images")


def variance(cells):
    """Of the difference of the two arms at the middle size: what the true law misses of it, and the test images."""
    first, second = (fit_form(law("power_floor"), cells.curve(arm), Options()).residuals for arm in range(2))
    tested = cells.tested.covariance[:, MIDDLE, :, MIDDLE]
    return np.sum((first - second) ** 2) / (len(first) - 3) + tested[0, 0] + tested[1, 1] - 2 * tested[0, 1]


@pytest.mark.parametrize("answers", [True, False])
def test_single_runs_vary_as_cells_do_over_worlds(answers):
    """Counted twice, what a run gets wrong alone makes the variance of a difference twice the truth."""
    differences, said = [], []
    for seed in range(WORLDS):
        table = runs(CROSSING, seeds=1, neighbours=0.3, test_images=300, seed=seed)
        cells = cells_of(table if answers else table.drop("correct_bits"))
        differences.append(cells.mean[0, MIDDLE] - cells.mean[1, MIDDLE])
        said.append(variance(cells))
    assert np.mean(said) == pytest.approx(np.var(differences), rel=0.45)


def test_the_share_of_single_runs_is_that_of_repeats():
    """Three seeds show what runs share by pairs of seeds, one seed by pairs of cells."""
    table = runs(CROSSING, test_images=2000, seed=5)
    repeated, single = (cells_of(each).tested.covariance for each in (table, table.filter(pl.col("seed") == 0)))
    ratio = np.einsum("knkn->kn", single) / np.einsum("knkn->kn", repeated)
    assert np.median(ratio) == pytest.approx(1, abs=0.2)


def test_where_no_law_has_a_size_to_spare_all_counts_as_image_noise():
    """Three sizes leave a law of three parameters nothing to miss: the binomial variance stays whole."""
    table = runs(CROSSING, sizes=SEVEN[::3], seeds=1, test_images=300, seed=1).drop("correct_bits")
    cells = cells_of(table)
    error = np.exp(cells.mean)
    whole = np.einsum("knkn->kn", cells.tested.covariance)
    np.testing.assert_allclose(whole, (1 - error) / (error * 300), rtol=1e-6)
