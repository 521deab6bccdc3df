"""Tables at the edge, through `fit`, `boundary`, `advise` and `report`: each is answered, or refused in our words.

A table that one of them can answer ends no other in an exception that is not ours.
"""

from __future__ import annotations

import math
import re

import numpy as np
import polars as pl
import pytest

import azeotrope
from azeotrope.advice.needs.limits import Needs
from azeotrope.errors import AzeotropeError, InputError, NotIdentifiable

SIZES = (100, 200, 400, 800)
IMAGES = 359


def runs(scratch=SIZES, distill=SIZES):
    """Three seeds an arm; errors are wrong answers of 359, as a test set gives them."""
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "arm": arm,
            "train_images": size,
            "seed": seed,
            "test_error": round((floor + scale * size**-0.5) * math.exp(0.03 * rng.standard_normal()) * IMAGES)
            / IMAGES,
            "test_images": IMAGES,
        }
        for arm, sizes, floor, scale in (("scratch", scratch, 0.02, 4.0), ("distill", distill, 0.06, 2.5))
        for size in sizes
        for seed in range(3)
    )


def with_error(value, row=3):
    return runs().with_columns(test_error=pl.when(pl.int_range(pl.len()) == row).then(value).otherwise("test_error"))


def fit(table):
    return azeotrope.fit(table, draws=100)


def boundary(table):
    return azeotrope.boundary(table, challenger="distill", baseline="scratch", draws=200)


def advise(table):
    return azeotrope.advise(table, Needs(at=800), draws=200)


def page(table, folder):
    """What a reader sees: without marks, style and script."""
    text = azeotrope.report(table, folder / "page.html").read_text(encoding="utf-8")
    text = re.sub(r"<(style|script).*?</\1>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.mark.parametrize("ask", [fit, boundary, advise])
@pytest.mark.parametrize(
    ("table", "said"),
    [
        (with_error(-0.1), r"may not be negative\. Found: -0\.1 in column 'test_error'.*Next: correct these rows"),
        (with_error(1.3), r"may be per cent, or a share.*Found: values 0\.\d+ to 1\.3.*Next: say --error-unit percent"),
        (
            pl.concat([runs(), with_error(0.5)[3:4]]),
            r"One group, size and seed may have one run only\. Found: 2 runs of 'scratch' at train_images 200, seed 0",
        ),
    ],
)
def test_values_that_cannot_be_are_refused_alike_by_all(ask, table, said):
    with pytest.raises(InputError, match=said):
        ask(table)


def test_a_row_that_comes_twice_counts_once_for_all():
    table = pl.concat([runs(), runs()[:1]])
    assert boundary(table).crossings == boundary(runs()).crossings
    assert advise(table).predicted_error.error == advise(runs()).predicted_error.error
    for answer in (fit(table), boundary(table)):
        assert "1 row left out: duplicated row" in answer.warnings
    assert "1 row left out: duplicated row" in advise(table).evidence.warnings


def test_a_missing_error_costs_its_row_alone():
    table = with_error(math.nan)
    for answer in (fit(table), boundary(table), advise(table).evidence):
        assert "1 row left out: no test error" in answer.warnings


def test_an_arm_of_one_size_has_no_law_and_costs_the_others_nothing(tmp_path):
    table = runs(distill=(400,))
    assert fit(table).groups["distill"].refused.startswith("A law needs")
    assert fit(table).groups["scratch"].predictions
    with pytest.raises(NotIdentifiable, match=r"at least 3 sizes.*Found: 1 for 'distill' \(400\)"):
        boundary(table)
    assert "distill" in str(advise(table).not_tested)
    seen = page(table, tmp_path)
    assert "No boundary between distill and scratch" in seen
    assert "distill against scratch" in seen


def test_arms_that_share_no_size_have_laws_and_no_boundary(tmp_path):
    table = runs(distill=(1600, 3200, 6400, 12_800))
    assert all(group.predictions for group in fit(table).groups.values())
    with pytest.raises(AzeotropeError, match=r"share sizes of train_images.*distill at 1600, .* scratch at 100, "):
        boundary(table)
    advice = advise(table)
    assert advice.recommendation.contender is None
    assert "share no size" in advice.recommendation.reason
    assert "No boundary between distill and scratch" in page(table, tmp_path)


def test_where_nobody_ever_erred_the_bound_is_the_answer(tmp_path):
    """0.05 = (1 - p) ** 359 at p = 0.83 %."""
    table = runs().with_columns(test_error=pl.lit(0.0))
    said = "no error seen in 359 images: below 0.83 % with 95 %"
    for answer in (fit(table), boundary(table)):
        assert f"scratch: {said}" in answer.warnings
    assert boundary(table).outcome == "undetermined"
    advice = advise(table)
    assert advice.recommendation.contender is None
    assert "no error seen in 359 test images, of distill or scratch: each errs below 0.83 %" in str(advice)
    seen = page(table, tmp_path)
    assert "more test images would tell more than more runs" in seen
    assert f"scratch: {said}" in seen
    assert "could not be drawn" not in seen


def test_where_nobody_was_ever_right_nothing_is_recommended():
    table = runs().with_columns(test_error=pl.lit(1.0))
    assert "no answer of any run was right" in advise(table).recommendation.sentence
    assert boundary(table).outcome in ("undetermined", "practically_equal")
    assert any("if these are accuracies" in line for line in fit(table).warnings)


def test_a_perfect_arm_beats_the_other_and_is_not_called_zero(tmp_path):
    table = runs().with_columns(test_error=pl.when(pl.col("arm") == "distill").then(0.0).otherwise("test_error"))
    assert boundary(table).outcome == "distill_always"
    advice = advise(table)
    assert advice.recommendation.contender == "distill"
    assert 0 < advice.predicted_error.error.value < 0.0083 < 4 * advice.predicted_error.error.high
    seen = page(table, tmp_path)
    assert "Use distill" in seen
    assert "distill: no error seen in 359 images: below 0.83 % with 95 %" in seen


def test_seeds_with_names_pair_the_arms_as_numbers_do():
    named = runs().with_columns(seed=pl.format("s{}", "seed"))
    assert boundary(named).crossings == boundary(runs()).crossings
    assert advise(named).predicted_error.error == advise(runs()).predicted_error.error


def test_numbers_of_test_images_that_some_runs_lack_are_said_and_change_no_answer():
    some = runs().with_columns(test_images=pl.when(pl.int_range(pl.len()) % 4 > 0).then("test_images"))
    said = "6 of 24 runs lack test_images: taken as 359, which all others have"
    for answer in (fit(some), boundary(some), advise(some).evidence):
        assert said in answer.warnings
    assert boundary(some).crossings == boundary(runs()).crossings


def test_a_table_of_log_losses_alone_is_read_as_a_loss_and_has_no_page(tmp_path):
    table = runs().select("arm", "train_images", "seed", test_nll=3 * pl.col("test_error"))
    assert any("is read as a loss" in line for line in fit(table).notes)
    assert boundary(table).outcome
    assert advise(table).evidence.unit == "loss"
    with pytest.raises(InputError, match=r"A page is about errors.*Next: name the column of errors with --error"):
        azeotrope.report(table, tmp_path / "page.html")


def test_a_hundred_thousand_rows_are_answered_and_thousands_of_sizes_refused(tmp_path):
    """Rows of few sizes are cells; thousands of sizes would take minutes, and a page nobody reads."""
    rng = np.random.default_rng(0)
    size, arm = np.repeat(SIZES, 25_000), np.tile(["scratch", "distill"], 50_000)
    error = (0.02 + 3 * size**-0.5) * np.exp(0.05 * rng.normal(size=100_000)) * np.where(arm == "distill", 0.9, 1.0)
    table = pl.DataFrame({"arm": arm, "train_images": size, "test_error": error, "test_images": 10_000})
    table = table.with_columns(seed=pl.int_range(pl.len()).over("arm", "train_images"))
    assert boundary(table).outcome == "distill_always"
    everywhere = table[:20_000].with_columns(train_images=100 + pl.int_range(20_000) // 2, seed=0)
    with pytest.raises(InputError, match=r"at most 2,000 cells.*Found: 2 arms at 10,000 sizes.*Next: round"):
        boundary(everywhere)
    with pytest.raises(InputError, match=r"at most 100 sizes\. Found: 10,000 numbers.*Next: round"):
        azeotrope.report(everywhere, tmp_path / "page.html")
