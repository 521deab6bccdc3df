"""A person's table as a page: verdicts at each size, curves over sizes, and nothing that a table cannot know."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from scipy import stats

import azeotrope
from azeotrope.advice.evidence import read_evidence
from azeotrope.analysis.study import Functions
from azeotrope.analysis.tabulated import tabulated
from azeotrope.errors import AzeotropeError, InputError


def refused(*_: object, **__: object) -> None:
    raise AzeotropeError("not asked here")


NO_LAWS = Functions(refused, refused, refused)


def runs(
    sizes: tuple[int, ...] = (500, 1000), arms: tuple[str, ...] = ("distill", "scratch"), **columns
) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        {"Method": arm, "N": size, "Seed": seed, "Error": 0.2 + 0.02 * place - size / 2e4 + rng.normal(0, 0.002)}
        for place, arm in enumerate(arms)
        for size in sizes
        for seed in range(3)
    ]
    return pl.DataFrame(rows).with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def comparisons(table: pl.DataFrame):
    return tabulated(table, None, NO_LAWS)[0]


def test_every_size_has_its_verdict_against_scratch():
    found = comparisons(runs())
    assert [item.train_images for item in found] == [500, 1000]
    assert {item.reference for item in found} == {"scratch"}
    assert [item.verdict("distill", "scratch").verdict for item in found] == ["BEATS", "BEATS"]
    assert {item.winner for item in found} == {None}


def test_an_arm_has_students_interval_when_nothing_is_known_of_the_test_images():
    arm = comparisons(runs())[0].arm("scratch")
    errors = list(arm.seed_errors.values())
    low, high = stats.t.interval(0.95, 2, loc=np.mean(errors), scale=np.std(errors, ddof=1) / np.sqrt(3))
    assert (arm.test_error.low, arm.test_error.high) == pytest.approx((low, high))


def test_few_test_images_keep_a_table_from_deciding():
    verdict = comparisons(runs(n_test=50))[0].verdicts[0]
    assert verdict.verdict == "INCONCLUSIVE"
    assert "at the most they can add" in verdict.reason


def test_without_seeds_nothing_is_paired_or_decided():
    verdict = comparisons(runs().drop("Seed"))[0].verdicts[0]
    assert (verdict.verdict, verdict.seeds) == ("INCONCLUSIVE", ())


def test_an_arm_with_one_size_stands_where_it_was_run():
    table = pl.concat([runs(), runs(sizes=(500,), arms=("linear",))])
    found = comparisons(table)
    assert [len(item.arms) for item in found] == [3, 2]


def test_two_runs_of_one_arm_size_and_seed_are_refused():
    table = pl.concat([runs(), runs().with_columns(pl.col("Error") + 0.01)])
    with pytest.raises(InputError, match="may have one run only"):
        tabulated(table, None, NO_LAWS)


def test_a_table_of_losses_is_answered_in_a_line():
    table = runs().rename({"Error": "log-loss"})
    with pytest.raises(InputError, match=r"about errors.*read as a loss.*with --error; `azeotrope advise`"):
        tabulated(table, None, NO_LAWS)


def test_the_page_of_a_csv_shows_no_costs_and_no_claims_of_ours(tmp_path):
    path = tmp_path / "runs.csv"
    runs().write_csv(path)
    page = azeotrope.report(path)
    assert page == tmp_path / "runs.html"
    said = re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))
    assert "distill beats scratch at" in said
    assert "These numbers come from a table" in said
    for never in ("What each arm costs", "FLOPs", "same images, seeds, views", "records in", "None"):
        assert never not in said


def test_names_in_a_table_are_escaped(tmp_path):
    page = azeotrope.report(runs(arms=("<script>x</script>", "scratch")), tmp_path / "page.html")
    assert "<script>x" not in page.read_text(encoding="utf-8")


def test_a_study_needs_three_sizes():
    assert tabulated(runs(), None, NO_LAWS)[1] is None
    found = tabulated(runs(sizes=(500, 1000, 2000)), None, NO_LAWS)[1]
    assert "not asked here" in found.studies[0].unfitted[0]


def test_the_evidence_is_of_the_same_rows():
    found = comparisons(runs())
    ids = {run_id for item in found for arm in item.arms for run_id in arm.run_ids}
    assert ids == {run_id for one in read_evidence(runs()).contenders for run_id in one.run_ids}
