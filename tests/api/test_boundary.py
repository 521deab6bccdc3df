"""`azeotrope.boundary`, its command, text and figure, from tables as people have them."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest
from rich.console import Console

import azeotrope
from azeotrope.errors import InputError, NotIdentifiable
from azeotrope.reporting.drawing.difference import figure, numbers
from azeotrope.reporting.drawing.render import svg
from azeotrope.reporting.texts.boundary_text import document, headline, text
from curves.worlds import CROSSING, CROSSING_AT, NONE, WINDOW, runs

KEYS = {"axis", "outcome", "crossings", "confidence_set", "p_win", "regret", "form_free", "warnings"}


def boundary(table, **options):
    return azeotrope.boundary(table, draws=400, **options)


@pytest.fixture(scope="module")
def crossing():
    return boundary(runs(CROSSING))


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "mine.csv"
    names = {"arm": "method", "train_images": "n_train", "test_error": "top1_err"}
    runs(CROSSING).rename(names).with_columns(pl.col("top1_err") * 100).write_csv(path)
    return str(path)


def mapped(csv: str) -> list[str]:
    return ["boundary", csv, "--x", "images=n_train", "--error", "top1_err", "--by", "method", "--draws", "400"]


def test_the_distilled_arm_is_the_challenger(crossing):
    assert (crossing.challenger, crossing.baseline) == ("distill", "scratch")
    assert "'distill' is the challenger" in crossing.notes[-1]
    assert crossing.outcome == "crossing_bracketed"


def test_arms_swapped_mirror_the_answer(crossing):
    other = boundary(runs(CROSSING), challenger="scratch")
    assert other.baseline == "distill"
    assert other.crossings[0].direction == "up"
    assert other.crossings[0].value == pytest.approx(crossing.crossings[0].value, rel=0.05)


def test_baseline_alone_names_the_other_arm():
    assert boundary(runs(CROSSING), baseline="distill").challenger == "scratch"


@pytest.mark.parametrize("axis", ["pretrain_images", "parameters"])
def test_any_axis(axis):
    found = boundary(runs(CROSSING).rename({"train_images": axis}), axis=axis)
    assert found.axis == axis
    assert found.crossings[0].low < CROSSING_AT < found.crossings[0].high


def test_no_pretraining_is_left_off_a_log_axis():
    table = runs(CROSSING).rename({"train_images": "pretrain_images"})
    with_zero = pl.concat(
        [table, table.filter(pl.col("pretrain_images") == 250).with_columns(pretrain_images=pl.lit(0.0))]
    )
    assert boundary(with_zero, axis="pretrain_images").smallest == 250


def test_losses_have_their_own_scale():
    table = runs(CROSSING).rename({"test_error": "loss"}).with_columns(pl.col("loss") * 10)
    found = boundary(table)
    assert found.unit == "loss"
    assert found.crossings[0].low < CROSSING_AT < found.crossings[0].high
    assert found.practical == pytest.approx(0.005 * table["loss"].min())
    assert "loss by which" in svg(figure(numbers(found)))


def test_what_counts_as_equal_is_the_users_number_however_few_the_test_images():
    few = runs(CROSSING).with_columns(test_images=pl.lit(100))
    assert boundary(few).practical == 0.005
    assert boundary(few, practical=0.02).practical == 0.02


def test_more_than_two_arms_must_be_named():
    table = pl.concat([runs(CROSSING), runs(NONE).filter(pl.col("arm") == "scratch").with_columns(arm=pl.lit("probe"))])
    with pytest.raises(InputError, match="both must be named") as caught:
        boundary(table)
    assert "distill, probe, scratch" in str(caught.value)
    assert "--challenger" in str(caught.value)
    assert boundary(table, challenger="distill", baseline="scratch").baseline == "scratch"


@pytest.mark.parametrize("named", [{"challenger": "scratch", "baseline": "scratch"}, {}])
def test_one_arm_has_no_boundary(named):
    table = runs(CROSSING).filter(pl.col("arm") == "scratch") if not named else runs(CROSSING)
    with pytest.raises(InputError, match="between two different arms") as caught:
        boundary(table, **named)
    assert "--by" in str(caught.value)


def test_arms_of_two_tasks_are_refused():
    table = runs(CROSSING).with_columns(
        task=pl.when(pl.col("arm") == "scratch").then(pl.lit("cars")).otherwise(pl.lit("birds"))
    )
    with pytest.raises(InputError, match="of one task") as caught:
        boundary(table)
    assert "birds, cars" in str(caught.value)


def test_disjoint_sizes_are_refused():
    table = runs(CROSSING).filter((pl.col("arm") == "scratch") == (pl.col("train_images") > 3000))
    with pytest.raises(NotIdentifiable, match="share sizes"):
        boundary(table)


def test_two_sizes_are_refused():
    with pytest.raises(NotIdentifiable, match="at least 3 sizes"):
        boundary(runs(CROSSING, sizes=[250, 1000]))


def test_a_narrow_span_is_refused():
    with pytest.raises(NotIdentifiable, match="factor 2"):
        boundary(runs(CROSSING, sizes=[1000, 1200, 1400]))


def test_few_sizes_and_one_seed_are_warned_of():
    found = boundary(runs(CROSSING, sizes=[250, 1000, 4000], seeds=1))
    assert any("3 sizes" in warning for warning in found.warnings)
    assert any("one seed" in warning for warning in found.warnings)


def test_little_overlap_is_warned_of():
    of_distill = (pl.col("arm") == "distill") & (pl.col("train_images") > 1900)
    of_scratch = (pl.col("arm") == "scratch") & (pl.col("train_images") < 4100)
    found = boundary(runs(CROSSING).filter(of_distill | of_scratch))
    assert any("share 2 sizes" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "options", [{"at": [0]}, {"at": [math.inf]}, {"practical": -1.0}, {"practical": float("nan")}, {"seed": -1}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(
        InputError, match=r"above zero and finite|fraction of error|zero or above.*--draw-seed -1"
    ) as caught:
        boundary(runs(CROSSING), **options)
    assert caught.value.next_step


def test_too_few_draws_are_refused():
    with pytest.raises(InputError, match="100 draws"):
        azeotrope.boundary(runs(CROSSING), draws=10)


def test_a_short_name_is_no_axis_and_the_real_ones_are_named():
    with pytest.raises(InputError, match=r"no axis named 'images'.*Allowed: train_images, .*--axis"):
        boundary(runs(CROSSING), axis="images")


def test_a_law_of_two_axes_is_refused_with_the_way_on():
    with pytest.raises(InputError, match=r"'additive' is a formula in N and D. Found: sizes along 1 axes.*list laws"):
        boundary(runs(CROSSING), law="additive")


def test_an_unknown_law_names_its_neighbours():
    with pytest.raises(InputError, match="power_flor"):
        boundary(runs(CROSSING), law="power_flor")


def test_the_json_document_is_strict_json_with_the_promised_keys(crossing):
    content = json.loads(json.dumps(document(crossing), allow_nan=False))
    assert content.keys() >= KEYS
    assert {"at", "p", "difference"} == content["p_win"][0].keys()
    assert content["crossings"][0]["low"] < CROSSING_AT < content["crossings"][0]["high"]


def test_the_command_prints_one_document(csv, cli):
    done = cli(*mapped(csv), "--json", "--at", "1000")
    content = json.loads(done.out)
    assert content["outcome"] == "crossing_bracketed"
    assert [win["at"] for win in content["p_win"]] == [1000]
    assert "per cent" in content["notes"][0]


def test_the_command_speaks_and_draws(csv, cli, tmp_path):
    done = cli(*mapped(csv), "--plot", str(tmp_path / "d.svg"))
    assert done.status == 0
    assert "distill is better below, scratch above: they cross at" in " ".join(done.out.split())
    assert (tmp_path / "d.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--x", "n_train", "--x takes NAME=VALUE. Found: n_train."),
        ("--at", "many", "--at is a list of numbers. Found: many. Allowed: such as 1000,5000."),
    ],
)
def test_a_flag_that_cannot_be_read_ends_with_status_2(csv, cli, flag, value, words):
    done = cli(*mapped(csv), flag, value)
    assert (done.status, done.out) == (2, "")
    assert words in done.said


def test_the_figure_shows_the_numbers(crossing):
    drawn = numbers(crossing)
    assert drawn.band[0]["size"] == pytest.approx(250 / 3)
    assert drawn.runs[0]["difference"] == pytest.approx(100 * crossing.form_free[0].difference)
    assert drawn.crossings == crossing.crossings
    assert "points by which distill is better" in svg(figure(drawn))


@pytest.mark.parametrize(
    ("world", "seeds", "words"),
    [
        (CROSSING, 3, "they cross at"),
        (NONE, 3, "no crossing there"),
        (NONE[::-1], 3, "scratch is better than distill throughout"),
        (WINDOW, 8, "swap places twice"),
    ],
)
def test_every_outcome_has_its_sentence(world, seeds, words):
    found = boundary(runs(world, seeds=seeds))
    assert words in headline(found)
    with Console(width=100, record=True, quiet=True) as console:
        console.print(text(found))
    assert svg(figure(numbers(found)))
