"""Draws at and beyond the largest size, against curves whose truth is known."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from azeotrope.curves.cells import joint_cells
from azeotrope.curves.joint_draws import draw_curves
from azeotrope.errors import NotIdentifiable
from azeotrope.tables.frame import read_runs
from azeotrope.testing.worlds import CROSSING, runs


def cells(table):
    frame = read_runs(table)
    return joint_cells([frame.only("distill"), frame.only("scratch")], "train_images")


def test_with_one_seed_the_runs_at_the_largest_size_are_not_taken_for_the_truth():
    """Nothing says how far one run is off, so intervals come from the law: 90 % hold in 15 of 20 worlds at least."""
    held = []
    for seed in range(20):
        drawn = draw_curves(cells(runs(CROSSING, seeds=1, seed=seed)), draws=200)
        low, high = np.quantile(drawn.errors(np.array([16000.0])), [0.05, 0.95], axis=1)[..., 0]
        held.append([low[arm] <= CROSSING[arm](16000.0) <= high[arm] for arm in range(2)])
    assert np.mean(held) >= 0.75


def test_what_a_law_misses_over_the_last_doubling_is_put_back_not_what_it_misses_at_one_size():
    """Thirteen sizes, of which the largest alone is 20 % too high: what lies beyond does not start from it."""
    sizes = np.unique(np.geomspace(500, 8000, 12).round())
    table = runs(CROSSING, sizes=[*sizes, 8400.0], seeds=3, sd=0.002)
    off = pl.when(pl.col("train_images") == 8400).then(1.2 * pl.col("test_error")).otherwise(pl.col("test_error"))
    middle = draw_curves(cells(table.with_columns(test_error=off)), draws=50).middle(np.array([8400.0]))[:, 0]
    truth = np.array([arm(8400.0) for arm in CROSSING])
    assert (middle < 1.1 * truth).all()


def test_draws_of_a_named_law_go_on_as_they_are_and_others_by_their_mean():
    """Without noise beyond the data, the ratio of two sizes out there is the same in all draws but for the drift."""
    found = cells(runs(CROSSING, seeds=3, seed=4))
    far = np.array([32000.0, 64000.0])
    spread = {}
    for form in (None, "power_floor"):
        drawn = draw_curves(found, draws=200, form=form)
        still = dict.fromkeys(("least", "of_noise", "of_turn", "of_gap", "of_hidden", "heading"), 0.0)
        errors = drawn.with_rates(replace(drawn.onward.rates, **still)).errors(far)
        spread[form] = np.diff(np.log(errors), axis=2).std(axis=1).max()
    assert spread[None] == pytest.approx(0.0, abs=1e-9)
    assert spread["power_floor"] > 0.001


def test_an_arm_without_repeats_leaves_what_is_put_back_in_the_others():
    table = runs(CROSSING, sizes=[500.0, 1000.0, 2000.0, 4000.0, 8000.0], seeds=3, seed=2)
    alone = table.filter((pl.col("arm") == "scratch") & (pl.col("seed") == 0)).with_columns(arm=pl.lit("single"))
    frame = read_runs(pl.concat([table, alone]))
    two = joint_cells([frame.only("distill"), frame.only("scratch")], "train_images")
    three = joint_cells([frame.only(arm) for arm in ("distill", "scratch", "single")], "train_images")
    end = np.array([8000.0])
    middle = draw_curves(three, draws=20).middle(end)[:, 0]
    np.testing.assert_allclose(middle[:2], draw_curves(two, draws=20).middle(end)[:, 0], rtol=0.01)
    assert abs(np.log(middle[0]) - three.mean[0, -1]) < 1e-9  # the runs themselves
    assert abs(np.log(middle[2]) - three.mean[2, -1]) > 1e-4  # the law


def test_one_size_makes_no_curve():
    table = runs(CROSSING, sizes=[1000.0], seeds=3)
    with pytest.raises(NotIdentifiable, match="1 sizes"):
        draw_curves(cells(table), draws=20)
