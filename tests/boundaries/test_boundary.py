"""The estimator on worlds with a known boundary."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from azeotrope.boundaries.boundary import find_boundary
from azeotrope.boundaries.law_free import disagreements, form_free
from azeotrope.curves.beyond import AtTheEnd, Rates, onward
from azeotrope.curves.fitted.law_fit import Options
from azeotrope.curves.joint_draws import Draws, LawDraws, draw_curves
from azeotrope.curves.level import LevelLine
from curves.worlds import CROSSING, CROSSING_AT, NONE, WINDOW, cells, power, runs


def found(table, **options):
    joint = cells(table)
    return find_boundary(joint, draw_curves(joint, draws=600), "train_images", **options)


def level_draws(*errors):
    """A hundred draws of level arms."""
    rows, arms = np.arange(100), len(errors)
    lines = tuple(LevelLine(np.full(100, error)) for error in errors)
    nothing = np.zeros((arms, 100))
    return Draws(
        laws=(LawDraws(rows, lines, lines, nothing, nothing[:, 0]),),
        forms={"power": 1.0},
        beyond={"power": 1.0},
        inside=np.zeros(100, int),
        outside=np.zeros(100, int),
        before=np.ones(arms),
        onward=onward(np.full(arms, np.inf), AtTheEnd(*np.zeros((3, arms))), 100, np.random.default_rng(0), Rates()),
        anchored=np.ones(arms, bool),
        most=1.0,
        arms=tuple(range(arms)),
    )


def test_noiseless_runs_give_the_algebraic_crossing():
    joint = cells(runs(CROSSING, seeds=3, sd=1e-5))
    answer = find_boundary(
        joint, draw_curves(joint, draws=300, form="power_floor", options=Options(priors=False)), "train_images"
    )
    assert answer.outcome == "crossing_bracketed"
    assert answer.crossings[0].value == pytest.approx(CROSSING_AT, rel=0.01)


def test_a_crossing_is_bracketed_with_the_truth_inside():
    answer = found(runs(CROSSING))
    (crossing,), (piece, *beyond) = answer.crossings, answer.confidence_set
    assert all(open_again.low > 16000 for open_again in beyond)
    assert answer.outcome == "crossing_bracketed"
    assert crossing.direction == "down"
    assert crossing.low < CROSSING_AT < crossing.high
    assert piece.low < CROSSING_AT < piece.high
    assert answer.mass.inside > 0.95
    assert answer.warnings == ()


@pytest.mark.parametrize(("challenger", "baseline", "p"), [(1.2, 1.3, 1.0), (1.3, 1.2, 0.0)])
def test_where_both_draws_run_off_the_one_ahead_stays_ahead(challenger, baseline, p):
    """Errors are bounded by 1; both there is no difference, and no crossing either."""
    ahead = level_draws(challenger, baseline)
    answer = find_boundary(cells(runs(NONE)), ahead, "train_images", practical=0.0)
    assert {win.p for win in answer.p_win} == {p}
    assert answer.confidence_set == ()
    assert answer.mass.challenger_throughout == p
    assert all(abs(win.difference.value) < 1e-9 for win in answer.p_win)
    assert answer.regret[0].challenger < 1e-9


def test_no_crossing_is_a_result():
    answer = found(runs(NONE))
    assert answer.outcome == "distill_always"
    assert answer.crossings == ()
    assert all(piece.low > 1.4 * 16000 for piece in answer.confidence_set)  # far beyond the data nobody knows


def test_a_window_has_two_crossings():
    answer = found(runs(WINDOW, seeds=6))
    assert answer.outcome == "window"
    assert [crossing.direction for crossing in answer.crossings] == ["up", "down"]


def test_the_answer_at_the_users_own_size_comes_with_interval_and_regret():
    answer = found(runs(CROSSING), at=[400, 10_000])
    small, large = answer.p_win
    assert (small.p, large.p) == pytest.approx((1, 0), abs=0.02)
    truth = float(CROSSING[1](400) - CROSSING[0](400))
    assert truth in small.difference
    assert answer.regret[0].challenger == pytest.approx(0, abs=1e-3)
    assert answer.regret[0].baseline == pytest.approx(small.difference.value, rel=0.05)


def test_what_the_challengers_images_are_worth_turns_at_the_crossing():
    below, above = found(runs(CROSSING), at=[500, 8000]).effective_data
    assert below.times.low > 1
    assert above.times.high < 1


def test_a_size_far_outside_is_warned_of():
    answer = found(runs(CROSSING), at=[1e6])
    assert "more than 5 x outside" in answer.warnings[-1]


def test_no_point_value_beyond_five_times_the_data():
    """The world crosses at 20 x the largest size or so: whatever the draws say, no number may stand there."""
    answer = found(runs((power(0.065, 3.0, 0.45), power(0.06, 4.0, 0.45)), seeds=5))
    assert all(crossing.value is None or crossing.value <= 5 * 16_000 for crossing in answer.crossings)
    assert answer.outcome in {"distill_always", "crossing_extrapolated"}


def test_the_same_seed_gives_the_same_answer():
    assert found(runs(CROSSING)) == found(runs(CROSSING))


def test_the_law_free_check_is_the_paired_difference():
    table = runs(CROSSING)
    checks = form_free(cells(table))
    errors = table.filter(table["train_images"] == 250).sort("arm", "seed")["test_error"].to_numpy()
    assert checks[0].difference == pytest.approx((errors[3:] - errors[:3]).mean())
    assert checks[0].pairs == 3
    assert checks[0].interval.low < checks[0].difference < checks[0].interval.high


def test_the_law_free_check_counts_the_test_images():
    """Without answers the part of two binomials that other seeds share, by hand; half widths add in squares."""
    table, images = runs(CROSSING), 500
    (alone, *_), (both, *_) = (
        form_free(cells(table.with_columns(test_images=pl.lit(count, pl.Int64)))) for count in (None, images)
    )
    half, wider = ((check.interval.high - check.interval.low) / 2 for check in (alone, both))
    first = table.filter(pl.col("train_images") == 250).group_by("arm").agg(pl.col("test_error").mean())
    one, other = (np.sqrt(error * (1 - error) / images) for error in first["test_error"].to_list())
    sd = np.sqrt(0.69 * (one**2 + other**2) - 2 * 0.65 * one * other)
    assert np.sqrt(wider**2 - half**2) == pytest.approx(1.96 * sd, rel=0.1)  # the number also moves the seeds' prior


def test_laws_that_contradict_the_runs_are_named():
    checks = form_free(cells(runs(NONE)))
    assert disagreements(checks, np.full(7, 0.99)) == ()
    said = disagreements(checks, np.full(7, 0.01))
    assert len(said) > 3
    assert "trust the runs" in said[0]


def test_one_seed_is_judged_from_the_misfit():
    answer = found(runs(CROSSING, seeds=1))
    assert answer.form_free[0].interval is None
    assert answer.outcome in {"crossing_bracketed", "undetermined", "crossing_extrapolated"}
    assert answer.confidence_set


def test_the_suggested_run_tells_about_the_crossing():
    answer = found(runs(CROSSING, seeds=2))
    best = answer.next_runs[0]
    assert 0 < best.variance_removed < 1
    assert best.score >= answer.next_runs[1].score
    assert best.size < 16_000  # sizes far beyond D* add nothing and cost most
