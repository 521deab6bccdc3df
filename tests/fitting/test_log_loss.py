"""A log-loss may exceed 1 and has no chance that bounds it: laws, intervals and residuals take it as it is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from azeotrope.api.fit import fit
from azeotrope.errors import InputError
from azeotrope.laws._law import law
from azeotrope.solver.many import fit_many
from azeotrope.tables.columns import Columns

SIZES = (30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
E, A, D, B = 0.15, 75.0, 40.0, 0.6
"""A rectified law: 1.75 at 30 images, 0.22 at 100,000; half of what is to be learned is learned at 470."""


def nll(images: float) -> float:
    return E + A / (D + images**B)


def runs(draw: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(draw)
    return pl.DataFrame(
        [
            {
                "arm": "finetune",
                "train_images": size,
                "seed": seed,
                "classes": 10,
                "test_images": 1000,
                "test_nll": nll(size) * np.exp(0.02 * rng.standard_normal()),
            }
            for size in SIZES
            for seed in range(3)
        ]
    )


COLUMNS = Columns(error="test_nll")


def test_known_parameters_of_the_rectified_law_lie_in_their_intervals() -> None:
    """Nominal 90 % over four parameters of five worlds: at least 15 of 20 (binomial: fewer in 1 % of cases)."""
    inside = 0
    for draw in range(5):
        found = fit(runs(draw), columns=COLUMNS, law="rectified", draws=100).groups["finetune"]
        parameters = found.laws["rectified"].parameters
        for name, truth in {"e": E, "A": A, "d": D, "b": B}.items():
            low, high = parameters[name].low, parameters[name].high
            assert low is not None
            assert high is not None
            inside += low <= truth <= high
    assert inside >= 15


def test_laws_with_a_ceiling_are_left_out_although_the_classes_are_known() -> None:
    found = fit(runs(), columns=COLUMNS, at=[20, 30_000], draws=100)
    assert found.unit == "loss"
    assert set(found.groups["finetune"].laws) == {"power", "power_floor", "shifted", "broken"}
    for step in found.groups["finetune"].predictions:
        assert step.low is not None
        assert step.high is not None
        assert 0.99 * step.low <= nll(step.at) <= 1.01 * step.high
    assert found.groups["finetune"].predictions[0].value > 1


def test_test_images_add_no_binomial_noise_to_a_loss() -> None:
    """A share of 0.3 of 50 images has a relative sd of 22 %; a loss of 0.3 has none that its mean could tell."""
    few, many = (runs().with_columns(test_images=pl.lit(images)) for images in (50, 10_000))
    one, other = (fit(table, columns=COLUMNS, draws=100, at=[1000]).groups for table in (few, many))
    assert one["finetune"].predictions == other["finetune"].predictions


def test_the_logit_of_a_loss_is_refused() -> None:
    with pytest.raises(InputError, match=r"Residuals on the logit are of errors below 1. Found: values up to 1.8"):
        fit_many(law("power"), [10.0, 100.0, 1000.0], [1.8, 1.2, 0.8], priors=False, space="logit")
