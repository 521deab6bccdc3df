"""Curves that rise are said, and only these."""

import numpy as np
import polars as pl
import pytest

from azeotrope.curves.cells import joint_cells
from azeotrope.curves.irregular import irregularities
from azeotrope.tables.frame import read_runs
from curves.worlds import CROSSING, SEVEN, cells, runs


def bent(at: float, factor: float, **options: int) -> pl.DataFrame:
    """Runs of two arms, "distill" worse by a factor at one size and beyond it, or at that size alone."""
    return runs(CROSSING, **options).with_columns(
        test_error=pl.when((pl.col("arm") == "distill") & (pl.col("train_images") == at))
        .then(pl.col("test_error") * factor)
        .otherwise("test_error")
    )


def test_falling_curves_are_called_irregular_in_two_per_cent_of_worlds_at_most():
    called = [len(irregularities(cells(runs(CROSSING, seed=seed)))) for seed in range(300)]
    assert sum(called) <= 0.04 * 600


def test_a_peak_is_named_with_its_sizes_and_errors():
    (sentence,) = irregularities(cells(bent(SEVEN[3], 1.6)))
    assert sentence.startswith("distill: the error rises from ")
    assert f"at {SEVEN[3]:,.0f}, by more than its noise, and falls again later" in sentence


def test_a_curve_that_ends_higher_is_said_not_to_come_down():
    (sentence,) = irregularities(cells(bent(SEVEN[6], 1.6)))
    assert "at 16,000, by more than its noise, and is not lower again at any larger size" in sentence


@pytest.mark.parametrize(("factor", "said"), [(1.6, 1), (1.02, 0)])
def test_one_seed_has_the_usual_noise(factor, said):
    assert len(irregularities(cells(bent(SEVEN[4], factor, seeds=1, sd=0.001)))) == said


def test_a_loss_is_written_as_it_is():
    table = bent(SEVEN[3], 1.6).rename({"test_error": "loss"}).with_columns(pl.col("loss") * 10)
    frame = read_runs(table)
    joint = joint_cells([frame.only("distill"), frame.only("scratch")], "train_images")
    (sentence,) = irregularities(joint)
    assert "%" not in sentence
    assert np.isfinite(joint.mean).all()
