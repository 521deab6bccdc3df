"""Parameters, pretraining images and task images in one law: known parameters come back, floors are an arm's own."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

from azeotrope.api.fit import fit
from azeotrope.errors import InputError
from azeotrope.fitting.result import FitResult
from azeotrope.laws._law import law
from azeotrope.tables.columns import Columns

PARAMETERS, PRETRAIN, IMAGES = (4e5, 2e6, 1e7), (1e3, 1e4, 1e5), (250.0, 500.0, 1000.0, 2000.0, 4000.0, 16_000.0)
TRUTH = {
    "joint_multiplicative": {"e": 0.05, "A": 90.0, "a": 0.15, "b": 0.1, "c": 0.45},
    "joint_effective_data": {"e": 0.04, "A": 30.0, "B": 6.0, "a": 0.45, "k": 0.9, "b": 0.6, "c": 0.5},
}
"""In natural units, so that errors are 5 to 60 %."""


def table(
    key: str, *, floor: float | None = None, arm: str = "distill", draw: int = 0, sd: float = 0.02
) -> pl.DataFrame:
    """Two seeds of each of 54 cells, with log-normal noise."""
    form, rng = law(key), np.random.default_rng(draw)
    values = TRUTH[key] | ({} if floor is None else {"e": floor})
    grid = np.array(list(itertools.product(PARAMETERS, PRETRAIN, IMAGES))).T
    error = form.predict(np.array([values[name] for name in form.names]), grid)
    rows = [
        {
            "method": arm,
            "size": size,
            "upstream": upstream,
            "n_train": images,
            "seed": seed,
            "top1_err": value * np.exp(sd * rng.standard_normal()),
        }
        for (size, upstream, images), value in zip(grid.T.tolist(), error.tolist(), strict=True)
        for seed in range(2)
    ]
    return pl.DataFrame(rows)


COLUMNS = Columns(x={"params": "size", "pretrain": "upstream", "images": "n_train"}, error="top1_err", by=("method",))


def fitted(runs: pl.DataFrame, **asked: object) -> FitResult:
    return fit(runs, columns=COLUMNS, draws=100, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", TRUTH)
def test_known_parameters_lie_in_their_intervals(key: str) -> None:
    """Nominal 90 % over all parameters of four worlds: at least 75 % of 20 or 28 (binomial: lower in 3 % of cases)."""
    inside = []
    for draw in range(4):
        parameters = fitted(table(key, draw=draw), law=key).groups["distill"].laws[key].parameters
        for name, truth in TRUTH[key].items():
            low, high = parameters[name].low, parameters[name].high
            assert low is not None
            assert high is not None
            inside.append(low <= truth <= high)
    assert np.mean(inside) >= 0.75


def test_the_laws_of_three_axes_are_averaged_and_predict_along_the_images() -> None:
    key = "joint_effective_data"
    found = fitted(table(key), at=[8000.0])
    assert found.axes == ("parameters", "pretrain_images", "train_images")
    group = found.groups["distill"]
    assert set(group.laws) == {"joint_multiplicative", "joint_effective_data"}
    assert group.average is not None
    assert group.average.weights[key] > 0.5
    assert group.average.held == {"parameters": 1e7, "pretrain_images": 1e5}
    form = law(key)
    truth = form.predict(np.array([TRUTH[key][name] for name in form.names]), np.array([[1e7], [1e5], [8000.0]]))
    (step,) = group.predictions
    assert step.low is not None
    assert step.high is not None
    assert step.low <= truth[0] <= step.high


def test_every_arm_has_a_floor_of_its_own() -> None:
    key, floors = "joint_multiplicative", {"distill": 0.10, "scratch": 0.02}
    runs = pl.concat([table(key, floor=floor, arm=arm, sd=0.01) for arm, floor in floors.items()])
    groups = fitted(runs, law=key).groups
    for arm, floor in floors.items():
        found = groups[arm].laws[key].parameters["e"]
        assert found.low is not None
        assert found.high is not None
        assert found.low <= floor <= found.high
    assert groups["scratch"].laws[key].parameters["e"].high < groups["distill"].laws[key].parameters["e"].low  # type: ignore[operator]


def test_runs_without_pretraining_are_left_to_the_law_that_allows_them() -> None:
    runs = table("joint_effective_data").with_columns(
        upstream=pl.when(pl.col("upstream") == 1e3).then(0.0).otherwise(pl.col("upstream"))
    )
    runs = pl.concat([runs, table("joint_effective_data").filter(pl.col("upstream") == 1e3)])
    assert list(fitted(runs).groups["distill"].laws) == ["joint_effective_data"]


def test_a_law_of_two_axes_is_refused_with_those_of_three() -> None:
    with pytest.raises(InputError, match=r"'additive' is not a formula in parameters and pretrain_images and train_im"):
        fitted(table("joint_multiplicative"), law="additive")


def test_a_forecast_of_three_axes_says_which_to_hold() -> None:
    with pytest.raises(InputError, match=r"--where parameters=VALUE --where pretrain_images=VALUE"):
        fitted(table("joint_multiplicative"), forecast=0.1)
