"""Truth: Tung & Mori 2019 as a double loop in NumPy float64, times B, since the mean is over images here."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from azeotrope.losses._contract import Setup
from azeotrope.losses.similarity import Loss
from azeotrope.testing.losses import SETUP, random_signals


def numpy_similarity(student, teacher):
    """The paper's value: the sum over all entries, over B²."""

    def rows(x):
        gram = np.array([[np.dot(a, b) for b in x] for a in x])
        return np.array([row / np.sqrt(np.sum(row**2)) for row in gram])

    return np.sum((rows(student) - rows(teacher)) ** 2) / len(student) ** 2


@pytest.mark.parametrize("images", [2, 11])
def test_value_is_the_papers_times_the_batch(images):
    batch = random_signals(images)
    expected = images * numpy_similarity(batch.features.double().numpy(), batch.teacher_features.double().numpy())
    assert Loss(SETUP)(batch).item() == pytest.approx(expected, rel=1e-5)


def test_opposite_views_of_who_is_alike_are_two_apart():
    """Teacher: all images alike; student: each alone. Rows (1, 1, 1, 1)/2 and one-hot: 2 − 2 · ½ = 1."""
    batch = replace(random_signals(4), features=torch.eye(4), teacher_features=torch.ones(4, 3))
    assert Loss(Setup(4, 3, 10))(batch).item() == pytest.approx(1.0, rel=1e-6)


def test_a_batch_shown_twice_has_the_same_value():
    batch = random_signals(6)
    twice = replace(
        random_signals(12),
        features=batch.features.repeat(2, 1),
        teacher_features=batch.teacher_features.repeat(2, 1),
    )
    torch.testing.assert_close(Loss(SETUP)(twice), Loss(SETUP)(batch))


def test_zero_with_finite_gradient_where_student_equals_teacher_up_to_a_turn():
    features = random_signals(6).features.requires_grad_()
    turn = torch.linalg.qr(torch.randn(24, 24, generator=torch.Generator().manual_seed(0)))[0]
    value = Loss(Setup(24, 24, 10))(replace(random_signals(6), features=features, teacher_features=features @ turn))
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(features.grad).all()


def test_features_of_zero_have_a_finite_gradient():
    nothing = torch.zeros(5, 24, requires_grad=True)
    Loss(SETUP)(replace(random_signals(5), features=nothing)).backward()
    assert torch.isfinite(nothing.grad).all()


def test_half_precision_features_give_float32():
    batch = random_signals(16)
    half = replace(batch, features=batch.features.bfloat16(), teacher_features=batch.teacher_features.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        value = Loss(SETUP)(half)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(Loss(SETUP)(batch).item(), rel=0.02)


def test_a_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="similarities need pairs: a batch must hold at least 2 images, got 1"):
        Loss(SETUP)(random_signals(1))
