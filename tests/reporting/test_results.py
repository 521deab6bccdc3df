"""Answers in Python: their table, document, figure, short name and page, and text that fits 80 columns."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import polars as pl
import pytest
from rich.console import Console

import azeotrope
from azeotrope.boundaries.next_runs import APART, NextRun, apart
from azeotrope.record.probability import probability
from azeotrope.reporting.summary import summarise
from azeotrope.reporting.texts import advice_text, boundary_text, fit_text

from .factories import three_seeds

SIZES = (250, 500, 1000, 2000, 4000)


@pytest.fixture(scope="module")
def runs() -> pl.DataFrame:
    """Two arms that cross near 1,000 images, with names as long as ours."""
    rng = np.random.default_rng(3)
    curves = {"distill:kl (resnet10t)": (3.0, 0.42), "scratch (resnet10t)": (5.2, 0.5)}
    rows = [
        {"arm": arm, "train_images": size, "seed": seed, "test_error": scale * size**-power + rng.normal(0.03, 0.0005)}
        for arm, (scale, power) in curves.items()
        for size in SIZES
        for seed in range(3)
    ]
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def answers(runs) -> dict:
    return {
        "boundary": azeotrope.boundary(runs, draws=300),
        "fit": azeotrope.fit(runs, at=(8000,), draws=100),
        "advice": azeotrope.advise(runs, draws=300),
        "comparison": summarise(
            [*three_seeds("scratch", (200, 210, 205)), *three_seeds("distill:kl", (180, 175, 182))]
        ),
    }


def test_a_frame_has_a_row_a_size_a_prediction_a_contender(answers):
    found = answers["boundary"].to_frame()
    assert found["train_images"].to_list() == [float(size) for size in SIZES]
    assert found["p_win"].to_list() == [win.p for win in answers["boundary"].p_win]
    assert answers["fit"].to_frame()["train_images"].to_list() == [8000.0, 8000.0]
    contenders = answers["advice"].to_frame()
    assert contenders.height == 2
    assert set(contenders["level"]) == {0.9}
    arms = answers["comparison"].to_frame()
    assert arms["arm"].to_list() == ["scratch", "distill:kl"]
    assert arms["test_error"].to_list() == pytest.approx([0.205, 0.179])
    assert arms["difference"].to_list() == [None, pytest.approx(-0.026)]
    assert arms["verdict"].to_list() == [None, "BEATS"]


@pytest.mark.parametrize("name", ["boundary", "fit", "advice", "comparison"])
def test_a_document_has_its_schema_number_and_is_json(name, answers):
    assert json.loads(answers[name].to_json())["schema"] == 1


@pytest.mark.parametrize("name", ["boundary", "fit", "advice", "comparison"])
def test_a_name_is_short_and_a_page_has_a_figure(name, answers):
    assert repr(answers[name]).startswith("<")
    assert len(repr(answers[name])) < 250
    page = answers[name]._repr_html_()
    assert "<pre" in page
    assert "<svg" in page


def test_a_figure_is_saved_where_it_is_told(answers, tmp_path):
    answers["advice"].plot(tmp_path / "advice.svg")
    assert (tmp_path / "advice.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("name", "text"), [("boundary", boundary_text.text), ("fit", fit_text.text), ("advice", advice_text.text)]
)
def test_text_fits_80_columns_uncut(name, text, answers):
    out = io.StringIO()
    Console(width=80, file=out).print(text(answers[name]))
    assert "…" not in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_numbers_behind_a_change_are_those_of_its_sentence(answers):
    sizes = [change for change in answers["advice"].would_change_if if change.what == "images"]
    assert sizes
    for change in sizes:
        assert change.images.value is None or f"{float(f'{change.images.value:.2g}'):,.0f}" in change.sentence
        assert change.more == ("with more" in change.sentence)


def test_no_probability_is_shown_as_0_or_1():
    assert [probability(p) for p in (0.0, 0.004, 0.5, 0.994, 1.0)] == ["< 0.01", "< 0.01", "0.50", "> 0.99", "> 0.99"]


def test_suggested_runs_differ_from_each_other():
    ranked = [NextRun(size, True, 0.1, size, 1.0) for size in (480.0, 500.0, 390.0, 800.0, 820.0, 2000.0, 9000.0)]
    found = [run.size for run in apart(ranked)]
    assert found == [480.0, 800.0, 2000.0]
    assert min(abs(math.log(a / b)) for a in found for b in found if a != b) >= math.log(APART)
