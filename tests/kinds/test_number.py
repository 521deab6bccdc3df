"""One value an image: against scikit-learn and closed forms in double precision."""

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score

from azeotrope.errors import InputError
from azeotrope.kinds._kind import Scale
from azeotrope.kinds.number import KIND as NUMBER
from azeotrope.kinds.number import ranges

SCALE = Scale(40.0, 12.0)


def problem(images=200, features=6, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(images, features))
    values = 40 + 12 * (rows @ np.random.default_rng(9).normal(size=features) + rng.normal(size=images))
    return torch.tensor(rows * np.geomspace(0.1, 30, features) + 5, dtype=torch.float32), values


def test_error_and_metrics_are_scikit_learns_in_the_unit_of_the_values():
    _, values = problem()
    outputs = (
        torch.randn(200, 1, generator=torch.Generator().manual_seed(0)) * 0.3 + NUMBER.targets(values, SCALE)[:, None]
    )
    said = NUMBER.said(outputs, SCALE)
    targets = NUMBER.targets(values, SCALE)
    metrics = NUMBER.metrics(outputs, targets, SCALE)
    assert metrics["mae"] == pytest.approx(mean_absolute_error(values, said), rel=1e-5)
    assert metrics["r2"] == pytest.approx(r2_score(values, said), abs=1e-6)
    assert NUMBER.error(outputs, targets) == pytest.approx(1 - r2_score(values, said), abs=1e-6)


def test_one_who_is_worse_than_the_mean_has_error_one_and_a_negative_r_squared():
    targets = torch.tensor([-1.0, 0.0, 1.0])
    outputs = -targets[:, None]
    assert NUMBER.error(outputs, targets) == 1
    assert NUMBER.metrics(outputs, targets, SCALE)["r2"] == pytest.approx(r2_score(targets, outputs))


def test_where_the_values_are_all_the_same_nothing_is_explained():
    same = torch.full((5,), 2.0)
    assert NUMBER.error(torch.randn(5, 1), same) == NUMBER.error(same[:, None], same) == 1


def test_a_few_images_are_from_all_over():
    _, values = problem(500)
    low, high = np.quantile(values, (0.3, 0.7))
    few = values[NUMBER.spread(values, 4)]
    assert few.min() < low
    assert few.max() > high


def test_the_loss_is_the_cross_entropy_of_a_normal_distribution_but_for_a_constant():
    from scipy.stats import norm

    outputs, targets = torch.randn(2, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = -norm.logpdf(targets, loc=outputs).mean() - np.log(2 * np.pi) / 2
    assert NUMBER.loss(outputs[:, None], targets).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_divergence_is_that_of_two_normals_of_variance_t_squared(temperature):
    student, teacher = torch.randn(2, 9, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    normals = (torch.distributions.Normal(mean, temperature) for mean in (teacher, student))
    expected = temperature**2 * torch.distributions.kl_divergence(*normals).mean()
    torch.testing.assert_close(NUMBER.divergence(student, teacher, temperature), expected, rtol=1e-12, atol=0)


def test_the_scale_is_that_of_the_training_values_and_folds_into_the_head():
    _, values = problem()
    scale = NUMBER.scale(values)
    assert (scale.mean, scale.sd) == pytest.approx((values.mean(), values.std()))
    head, features = torch.nn.Linear(4, 1), torch.randn(5, 4)
    expected = NUMBER.said(head(features).detach(), scale)
    scale.fold(head)
    np.testing.assert_allclose(head(features)[:, 0].detach(), expected, rtol=1e-5)


def test_subsets_are_nested_and_hold_every_range_in_its_share():
    _, values = problem(500)
    order = NUMBER.spread(values, 400)
    np.testing.assert_array_equal(NUMBER.spread(values, 57), order[:57])
    counts = np.bincount(ranges(values)[order[:100]], minlength=10)
    assert (np.abs(counts - 10) <= 1).all()


def test_equal_values_are_one_range():
    values = np.array([0.0] * 80 + list(range(1, 21)))
    assert len(set(ranges(values)[:80])) == 1


def test_values_that_are_all_the_same_are_refused():
    with pytest.raises(InputError) as refusal:
        NUMBER.require_split(np.full(4, 3.5), ("age",), "test")
    assert str(refusal.value) == (
        "The values of 'age' must differ from each other, in every split. Found: 3.5 for each of the 4 images in test. "
        "Next: name another column with --label-column, or add images with other values."
    )


def test_too_few_images_are_refused():
    with pytest.raises(InputError, match=r"too few images to be divided. Found: 9 .* Allowed: at least 15: 5 each"):
        NUMBER.require(np.arange(9.0), ("age",), ("val", "test"))
