"""Truth for `feature_mse` and `feature_cosine`: loops over images in NumPy float64, and correlations known by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from azeotrope.losses._contract import Setup
from azeotrope.losses.feature_cosine import Loss as FeatureCosine
from azeotrope.losses.feature_mse import Loss as FeatureMSE
from azeotrope.testing.losses import SETUP, random_signals


def numpy_mse(student, teacher):
    def standard(x):
        return (x - x.mean()) / x.std()

    return np.mean([np.mean((standard(a) - standard(b)) ** 2) for a, b in zip(student, teacher, strict=True)])


def numpy_cosine(student, teacher):
    cosines = [np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(student, teacher, strict=True)]
    return 1 - np.mean(cosines)


BOTH = pytest.mark.parametrize(
    ("kind", "formula"), [(FeatureMSE, numpy_mse), (FeatureCosine, numpy_cosine)], ids=["mse", "cosine"]
)
EACH = pytest.mark.parametrize("kind", [FeatureMSE, FeatureCosine], ids=["mse", "cosine"])


def unprojected(kind, width):
    loss = kind(Setup(width, width, 10))
    loss.projector = nn.Identity()
    return loss


@BOTH
def test_value_is_the_formula_of_the_projected_student_and_the_plain_teacher(kind, formula, projected):
    torch.manual_seed(0)
    loss, batch = kind(SETUP), random_signals(7)
    expected = formula(projected(loss.projector, batch.features), batch.teacher_features.double().numpy())
    assert loss(batch).item() == pytest.approx(expected, rel=1e-3)  # layer_norm adds 1e-5 to the variance


@BOTH
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_unprojected_features_of_any_scale(kind, formula, scale):
    batch = random_signals(7)
    teacher = random_signals(7, seed=1).features
    loss = unprojected(kind, 24)(replace(batch, features=scale * batch.features, teacher_features=teacher))
    expected = formula(batch.features.double().numpy(), teacher.double().numpy())
    assert loss.item() == pytest.approx(expected, rel=1e-4)


@EACH
@pytest.mark.parametrize(("sign", "share"), [(1, 0.0), (-1, 1.0)])
def test_equal_is_zero_and_opposite_is_the_most(kind, sign, share):
    most = 4.0 if kind is FeatureMSE else 2.0
    features = random_signals(6).features.requires_grad_()
    batch = replace(random_signals(6), features=features, teacher_features=sign * features.detach())
    value = unprojected(kind, 24)(batch)
    value.backward()
    assert value.item() == pytest.approx(share * most, abs=1e-3)
    assert torch.isfinite(features.grad).all()


def test_an_offset_that_all_features_share_counts_in_the_cosine_only():
    """Behind a ReLU unrelated images have a large cosine; standardised, they have none."""
    batch = random_signals(6)
    teacher = random_signals(6, seed=1).features
    shifted = replace(batch, features=batch.features + 10, teacher_features=teacher + 10)
    plain = replace(batch, teacher_features=teacher)
    torch.testing.assert_close(
        unprojected(FeatureMSE, 24)(shifted), unprojected(FeatureMSE, 24)(plain), rtol=1e-4, atol=0
    )
    assert unprojected(FeatureCosine, 24)(shifted) < 0.05 * unprojected(FeatureCosine, 24)(plain)


@EACH
def test_features_without_variation_have_a_finite_gradient(kind):
    constant = torch.zeros(4, 24, requires_grad=True)
    unprojected(kind, 24)(replace(random_signals(4), features=constant, teacher_features=torch.ones(4, 24))).backward()
    assert torch.isfinite(constant.grad).all()


@EACH
def test_only_the_student_is_projected_and_to_the_teachers_width(kind):
    loss = kind(SETUP)
    assert [name for name, _ in loss.named_children()] == ["projector"]
    assert (loss.projector[0].in_features, loss.projector[2].out_features) == (24, 40)
    loss(random_signals()).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())


@EACH
def test_a_batch_shown_twice_has_the_same_value(kind):
    batch = random_signals(6)
    twice = replace(
        random_signals(12),
        features=batch.features.repeat(2, 1),
        teacher_features=batch.teacher_features.repeat(2, 1),
    )
    loss = kind(SETUP)
    torch.testing.assert_close(loss(twice), loss(batch))


@EACH
def test_half_precision_features_give_float32(kind):
    loss, batch = kind(SETUP), random_signals()
    half = replace(batch, features=batch.features.bfloat16(), teacher_features=batch.teacher_features.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(half)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss(batch).item(), rel=0.02)
