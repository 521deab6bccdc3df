"""`azeotrope.fit` from a table: predictions, refusals, and what is said of bad input."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from azeotrope.api.fit import fit
from azeotrope.errors import InputError, NotIdentifiable
from azeotrope.tables.columns import Columns
from fitting.worlds import SIZES, runs


def test_prediction_covers_the_truth_and_widens_outwards() -> None:
    found = fit(runs(), at=[4000, 64000], draws=300).groups["scratch"]
    near, far = found.predictions
    for step, truth in ((near, 0.06 + 0.4 * 4**-0.4), (far, 0.06 + 0.4 * 64**-0.4)):
        assert step.low is not None
        assert step.high is not None
        assert 0.99 * step.low <= truth <= 1.01 * step.high  # of ten such intervals one may miss, and by little
        assert step.low <= step.value <= step.high
    assert np.log(far.high / far.low) > 2 * np.log(near.high / near.low)  # type: ignore[operator]
    assert far.reach == 4
    assert sum(law.weight for law in found.laws.values()) == pytest.approx(1)


def test_json_has_the_agreed_shape() -> None:
    document = json.loads(fit(runs(), at=[4000], draws=100).to_json())
    assert document["schema"] == 1
    group = document["groups"]["scratch"]
    assert {"laws", "average", "predictions", "warnings", "checklist"} <= group.keys()
    assert group["predictions"][0].keys() >= {"at", "value", "low", "high"}
    for law in group["laws"].values():
        for parameter in law["parameters"].values():
            assert parameter.keys() >= {"value", "low", "high", "identified"}
    checklist = group["checklist"]
    assert checklist["runs_used"] == 21
    assert len(checklist["points"]) == 7
    assert checklist["equations"]["power_floor"] == "e + A D^-b"


def test_the_same_seed_gives_the_same_document() -> None:
    one, two, other = (fit(runs(), at=[30000], draws=100, seed=seed).to_json() for seed in (1, 1, 2))
    assert one == two
    assert one != other


def test_no_draws_give_no_interval() -> None:
    found = fit(runs(), draws=0).groups["scratch"]
    assert found.predictions[0].low is None
    assert found.laws["power"].parameters["b"].low is None
    assert found.predictions[0].at == 2 * SIZES[-1]


def test_one_law_says_that_its_interval_is_too_narrow() -> None:
    found = fit(runs(), law="power-floor", draws=100).groups["scratch"]
    assert list(found.laws) == ["power_floor"]
    assert any("one law only" in warning for warning in found.warnings)


def test_groups_are_fitted_apart_and_one_may_be_refused() -> None:
    table = pl.concat([runs(), runs(group="distill", sizes=(250, 1000))])
    found = fit(table, draws=0)
    assert found.groups["scratch"].laws
    assert "at least 3 sizes" in str(found.groups["distill"].refused)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((250, 1000), r"at least 3 sizes.*Found: 2 for 'scratch'.*Next: add runs"),
        ((1000, 1200, 1500), r"span at least a factor 2.*Found: 1000 to 1500"),
        ((1000,), r"needs runs at several sizes.*Next: add runs"),
    ],
)
def test_too_few_sizes_is_an_error_with_a_next_step(sizes: tuple[int, ...], message: str) -> None:
    with pytest.raises(NotIdentifiable, match=message):
        fit(runs(sizes=sizes), draws=0)


def test_three_and_four_sizes_are_warned_of() -> None:
    found = fit(runs(sizes=(250, 1000, 4000, 16000)), draws=0).groups["scratch"]
    assert any("4 sizes" in warning for warning in found.warnings)


def test_one_seed_is_said() -> None:
    found = fit(runs(seeds=1), draws=100).groups["scratch"]
    assert any("one seed a size" in warning for warning in found.warnings)


def test_failed_runs_are_left_out_and_counted() -> None:
    table = runs().with_columns(state=pl.when(pl.col("seed") == 2).then(pl.lit("failed")).otherwise(pl.lit("done")))
    found = fit(table, draws=0)
    assert found.excluded == {"failed": 7}
    checklist = found.groups["scratch"].checklist
    assert checklist is not None
    assert checklist.runs_used == 14


def test_errors_of_zero_count_with_a_warning() -> None:
    table = runs().with_columns(
        test_error=pl.when(pl.col("train_images") == 16000).then(0.0).otherwise(pl.col("test_error")),
        test_images=1000,
    )
    found = fit(table, draws=0)
    assert found.excluded == {}
    assert found.groups["scratch"].checklist.runs_used == 21
    assert any("3 of 21 runs have no wrong answer in 1,000 images" in warning for warning in found.warnings)


def test_per_cent_is_recognised_and_said() -> None:
    table = runs().with_columns(pl.col("test_error") * 100)
    found = fit(table, draws=0)
    assert any("per cent" in note for note in found.notes)
    as_fraction = fit(runs(), draws=0).groups["scratch"].predictions[0].value
    # A division by 100 changes last bits, and the fit stops within 1e-8 of its optimum.
    assert found.groups["scratch"].predictions[0].value == pytest.approx(as_fraction, rel=1e-6)


def test_losses_are_not_bounded_by_one() -> None:
    table = runs(floor=1.5, amplitude=3.0).rename({"test_error": "loss"}).drop("classes")
    found = fit(table, draws=0, columns=Columns(error="loss"))
    assert found.unit == "loss"
    assert found.groups["scratch"].predictions[0].value == pytest.approx(1.5 + 3 * 32**-0.4, rel=0.05)


def test_without_classes_forms_with_a_ceiling_have_it_at_one_and_it_is_said() -> None:
    found = fit(runs(classes=None), draws=0).groups["scratch"]
    assert {"sigmoid", "bounded"} <= set(found.laws)
    assert any("number of classes" in warning for warning in found.warnings)


@pytest.mark.parametrize("errors", [(0.923, 0.896, 0.881), (0.95, 0.94, 0.93), (0.91, 0.9, 0.905)])
def test_runs_that_are_no_better_than_guessing_are_fitted_all_the_same(errors: tuple[float, ...]) -> None:
    table = pl.DataFrame(
        [
            {"arm": "scratch", "train_images": size, "seed": seed, "classes": 10, "test_error": error + 0.01 * seed}
            for size, error in zip((20, 40, 80), errors, strict=True)
            for seed in range(2)
        ]
    )
    found = fit(table, draws=100).groups["scratch"]
    assert found.laws["bounded"].parameters["e"].value < 0.9  # a floor under the error of guessing
    assert all(0 < step.value < 1 for step in found.predictions)


def test_far_extrapolation_is_said() -> None:
    found = fit(runs(), at=[16000 * 20], draws=0).groups["scratch"]
    assert any("20 times the largest size" in warning for warning in found.warnings)


def test_two_axes_take_two_axis_laws_and_hold_the_first() -> None:
    rows = [
        runs(floor=0.05 + 0.2 * size**-0.3, seeds=1, draw=i).with_columns(parameters=size * 1e6)
        for i, size in enumerate((1.0, 4.0, 16.0))
    ]
    found = fit(pl.concat(rows), at=[32000], draws=100)
    group = found.groups["scratch"]
    assert found.axes == ("parameters", "train_images")
    assert set(group.laws) == {"additive", "multiplicative"}
    assert group.average is not None
    assert group.average.held == {"parameters": 16e6}


def test_a_law_of_other_axes_is_refused_with_those_that_apply() -> None:
    with pytest.raises(InputError, match=r"'additive' is not a formula in train_images.*Allowed: power, power_floor"):
        fit(runs(), law="additive", draws=0)


def test_pretraining_of_zero_leaves_only_the_law_that_takes_it() -> None:
    rows = [runs(seeds=1, draw=i).with_columns(pretrain_images=pl.lit(p)) for i, p in enumerate((0, 1000, 8000))]
    with pytest.raises(NotIdentifiable, match="at least 3 sizes of pretrain_images"):
        fit(pl.concat(rows), draws=0)
    rows.append(runs(seeds=1, draw=3).with_columns(pretrain_images=pl.lit(64000)))
    assert list(fit(pl.concat(rows), draws=0).groups["scratch"].laws) == ["effective_data"]


def test_forecast_says_how_many_images_and_how_likely_never() -> None:
    found = fit(runs(floor=0.02, noise=0.005), forecast=0.2, draws=300).groups["scratch"].forecast
    assert found is not None
    truth = 1000 * (0.4 / 0.18) ** (1 / 0.4)
    assert found.value == pytest.approx(truth, rel=0.1)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert found.p_never < 0.01
    never = fit(runs(floor=0.15, noise=0.005), forecast=0.05, draws=300).groups["scratch"].forecast
    assert never is not None
    assert never.p_never > 0.85
    assert never.value is None


def test_a_forecast_names_the_next_run_by_its_price() -> None:
    dear, cheap = (
        fit(runs(), forecast=0.09, draws=300, price=price).groups["scratch"].forecast
        for price in (lambda size: size**3, lambda size: 1.0)
    )
    assert dear is not None
    assert cheap is not None
    assert cheap.next_runs[0].size >= 8000  # towards the target, which lies beyond the data
    assert dear.next_runs[0].size < cheap.next_runs[0].size
    assert 0 < cheap.next_runs[0].variance_removed < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"at": [1000, -5]}, "above zero and finite.*Found: 1000, -5.*correct --at"),
        ({"at": [float("nan")]}, "above zero and finite.*Found: nan"),
        ({"at": [float("inf")]}, "above zero and finite.*Found: inf"),
        ({"draws": 10}, "at least 100 draws.*--draws 10.*100 or more"),
        ({"draws": -1}, "at least 100 draws.*--draws -1"),
        ({"seed": -1}, "seed is a whole number, zero or above.*--draw-seed -1"),
        ({"law": "sigmoidal"}, "There is no law named 'sigmoidal'.*nearest: sigmoid"),
        ({"forecast": 5.0}, "target error must lie above 0 and, for an error, below 1"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(runs(), **arguments)  # type: ignore[arg-type]


def test_a_target_in_per_cent_is_refused_also_without_classes() -> None:
    table = runs(classes=None).with_columns(pl.col("test_error") * 100)
    with pytest.raises(InputError, match=r"below 1. Found: 5. Allowed: for 5 % error, 0.05, also .* per cent"):
        fit(table, forecast=5, draws=0)


def test_groups_of_other_students_are_fitted_although_three_axes_differ_among_them() -> None:
    table = pl.concat(
        [
            runs(draw=1).with_columns(parameters=pl.lit(1000), pretrain_images=pl.lit(0)),
            runs(group="upstream", draw=2).with_columns(parameters=pl.lit(9000), pretrain_images=pl.lit(500)),
        ]
    )
    found = fit(table, draws=0)
    assert found.axes == ("train_images",)
    assert found.groups.keys() == {"scratch", "upstream"}


def test_groups_along_different_axes_are_refused() -> None:
    rows = runs().with_columns(pretrain_images=pl.lit(0, pl.Int64))
    swapped = pl.col("train_images").alias("pretrain_images"), pl.col("train_images") * 0 + 100
    table = pl.concat([rows, runs(group="upstream").select(*rows.columns[:-1]).with_columns(*swapped)])
    with pytest.raises(InputError, match=r"along the same axis.*upstream along pretrain_images.*--where"):
        fit(table, draws=0)


def test_too_few_sizes_of_a_second_axis_say_how_to_take_it_apart() -> None:
    table = pl.concat([runs(draw=i).with_columns(parameters=pl.lit(p)) for i, p in enumerate((1000, 9000))])
    with pytest.raises(NotIdentifiable, match=r"3 sizes of parameters.*--where parameters=VALUE.*parameters to --by"):
        fit(table, draws=0)


def test_runs_that_lack_their_size_are_counted_in_the_refusal() -> None:
    table = runs().with_columns(pl.when(pl.col("train_images") > 250).then(pl.col("train_images")))
    with pytest.raises(InputError, match=r"must give train_images. Found: 3 of 21 runs"):
        fit(table, draws=0)


@pytest.mark.parametrize("law", ["transfer_gap", "effective_data"])
def test_a_law_in_pretraining_is_not_fitted_to_model_sizes(law: str) -> None:
    table = pl.concat([runs(draw=i).with_columns(parameters=pl.lit(1000 * 4**i)) for i in range(3)])
    with pytest.raises(InputError, match=rf"'{law}' is not a formula in parameters and train_images.*additive"):
        fit(table, law=law, draws=0)


def test_huber_and_no_priors_are_in_the_checklist() -> None:
    checklist = fit(runs(), loss="huber", priors=False, draws=0).groups["scratch"].checklist
    assert checklist is not None
    assert "Huber" in checklist.loss
    assert checklist.priors["power_floor"] == {}
