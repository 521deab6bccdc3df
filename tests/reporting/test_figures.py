"""What is drawn, read back from the charts' data; looks are not tested."""

import pytest

from azeotrope.reporting.drawing import figures
from azeotrope.reporting.drawing.render import svg
from azeotrope.reporting.drawing.theme import REFERENCE
from azeotrope.reporting.summary import summarise

from .factories import run, three_seeds


@pytest.fixture
def comparison():
    return summarise(
        [
            *three_seeds("scratch", [220, 221, 225]),
            *three_seeds("distill", [200, 202, 204], seconds={"teacher": 8.0, "train": 10.0, "zip": 1.0}),
            *three_seeds("distill:kl", [201, 202, 204], seconds={"teacher": 8.0, "train": 10.0}),
            run("finetune", 0, state="failed", reason="x"),
        ]
    )


def rows(layer):
    return layer.data.to_dict()["values"]


def test_errors_hold_seeds_means_and_intervals_in_per_cent(comparison):
    bars, dots, _ = figures.errors(comparison).layer
    scratch = rows(bars)[0]
    assert scratch["arm"] == "scratch"
    assert scratch["error"] == pytest.approx(22.2)
    assert scratch["low"] < 22.2 < scratch["high"]
    assert [row["error"] for row in rows(dots) if row["arm"] == "distill"] == pytest.approx([20.0, 20.2, 20.4])


def test_an_arm_that_never_finished_is_not_drawn(comparison):
    assert {row["arm"] for row in rows(figures.errors(comparison).layer[0])} == {"scratch", "distill", "distill:kl"}


def test_the_reference_is_grey_and_no_colour_is_used_twice(comparison):
    scale = figures.errors(comparison).layer[0].to_dict()["encoding"]["color"]["scale"]
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colours["scratch"] == REFERENCE
    assert len(set(colours.values())) == 3


def test_cost_has_both_columns_and_phases_in_the_order_they_happen(comparison):
    assert figures.phases(comparison) == ["teacher", "train", "evaluate", "zip"]
    drawn = figures.seconds(comparison)
    spent = {(row["column"], row["arm"], row["phase"]): row["seconds"] for row in rows(drawn)}
    assert spent["each run pays alone", "distill", "teacher's pass"] == 8.0
    assert (
        spent["shared work divided", "distill", "teacher's pass"] == 4.0
    )  # distill and distill:kl share each seed's pass


def test_cost_has_one_column_when_nothing_is_shared():
    drawn = figures.seconds(summarise(three_seeds("scratch", [200] * 3)))
    assert {row["column"] for row in rows(drawn)} == {"each run pays alone"}


def test_curves_are_logarithmic_and_turn_linear_when_an_error_is_zero():
    def at(images, wrong):
        return summarise(three_seeds("scratch", wrong, train_images=images))

    def axis(chart):
        return chart.layer[1].to_dict()["encoding"]["y"]

    some = figures.curves([at(100, [300, 310, 305]), at(1000, [100, 104, 99])])
    assert axis(some)["scale"]["type"] == "log"
    assert {10, 15, 20, 30} <= set(axis(some)["axis"]["values"])
    zero = figures.curves([at(100, [300, 310, 305]), at(1000, [0, 0, 0])])
    assert "type" not in axis(zero)["scale"]
    for chart in (some, zero):
        assert svg(chart).startswith("<svg")
