import dataclasses

import pytest

from azeotrope.record.storage.training_curve import Epoch
from azeotrope.reporting.document import Document
from azeotrope.reporting.drawing import training_curves
from azeotrope.reporting.drawing.render import svg
from azeotrope.reporting.page.html import page
from azeotrope.reporting.summary import summarise

from .factories import three_seeds

COMPARISON = summarise([*three_seeds("scratch", [220, 221, 225]), *three_seeds("distill", [200, 202, 204])])


def curve(seed, epochs=3, judged=()):
    """Loss 4 / epoch + seed; the validation error of epoch e is 0.4 / e."""
    return tuple(
        Epoch(e, 1e-3, 500.0, 4 / (e + 1) + seed, {"kl": 1.0}, 0.4 / (e + 1) if e in judged else None, None)
        for e in range(epochs)
    )


def curves(**how):
    return {run_id: curve(seed, **how) for arm in COMPARISON.arms for seed, run_id in enumerate(arm.run_ids)}


def test_an_epoch_is_the_mean_of_the_seeds_with_the_lowest_and_the_highest():
    drawn = training_curves.numbers(COMPARISON, curves(judged=(0, 1, 2)))
    rows = {(row["arm"], row["epoch"]): row for row in drawn.losses}
    assert len(rows) == len(drawn.losses) == 2 * 3
    assert [rows["distill", 2][name] for name in ("low", "mean", "high")] == [2.0, 3.0, 4.0]
    ends = "training loss 5 after epoch 1, training loss 2.33 after epoch 3"
    assert rows["scratch", 3]["said"] == f"scratch: {ends}, mean of 3 runs"
    assert [row["mean"] for row in drawn.errors[:3]] == pytest.approx([40.0, 20.0, 40 / 3])
    assert drawn.errors[2]["said"].startswith("scratch: validation error 40 % after epoch 1, validation error 13.3 %")


def test_validation_that_was_looked_at_once_makes_no_curve():
    drawn = training_curves.numbers(COMPARISON, curves(judged=(2,)))
    assert drawn.errors == ()
    assert len(drawn.losses) == 6


@pytest.mark.parametrize("how", [{}, {"epochs": 1}])
def test_nothing_is_drawn_of_runs_without_two_epochs(how):
    assert training_curves.numbers(COMPARISON, curves(**how) if how else {}) is None


def test_of_a_long_training_few_epochs_are_drawn_and_the_last_is_one_of_them():
    found = {COMPARISON.arms[0].run_ids[0]: curve(0, epochs=1000)}
    epochs = [row["epoch"] for row in training_curves.numbers(COMPARISON, found).losses]
    assert (len(epochs), epochs[0], epochs[-1]) == (training_curves.MOST_POINTS, 1, 1000)


def test_the_page_has_them_with_words_for_who_does_not_see_and_none_without():
    plain, drawn = (page(Document(comparisons=(COMPARISON,), curves=found)) for found in ({}, curves(judged=(0, 1, 2))))
    assert "Training by epoch" not in plain
    assert drawn.count("<h3>Training by epoch") == 1
    assert "distill: training loss 5 after epoch 1, training loss 2.33 after epoch 3, mean of 3 runs" in drawn
    assert "on one scale for all arms" in drawn
    assert len(drawn) - len(plain) < 100_000


def test_names_from_strangers_are_escaped_in_the_panels():
    evil = "<script>alert(1)</script>"
    arms = tuple(arm.model_copy(update={"name": f"{evil}{arm.name}"}) for arm in COMPARISON.arms)
    drawn = training_curves.numbers(COMPARISON.model_copy(update={"arms": arms}), curves())
    chart = training_curves.figure(drawn, [arm.name for arm in arms], "scratch")
    assert evil not in svg(chart)
    chart.to_dict()  # held against the schema of Vega-Lite


def test_a_curve_that_cannot_be_averaged_is_said_in_its_place():
    broken = {COMPARISON.arms[0].run_ids[0]: tuple(dataclasses.replace(each, loss="x") for each in curve(0))}
    document = Document(comparisons=(COMPARISON,)).model_copy(update={"curves": broken})
    assert "This figure could not be drawn" in page(document)
