"""Truth: NumPy's correlation coefficients in float64, image by image and class by class."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from azeotrope.losses.dist import Loss
from azeotrope.testing.losses import SETUP, random_signals


def numpy_parts(signals, T):
    student, teacher = (softmax(each.double().numpy() / T, axis=1) for each in (signals.logits, signals.teacher_logits))

    def mean(xs, ys):
        return np.mean([1 - np.corrcoef(x, y)[0, 1] for x, y in zip(xs, ys, strict=True)])

    return T**2 * mean(student, teacher), T**2 * mean(student.T, teacher.T)


@pytest.mark.parametrize("T", [1.0, 4.0])
@pytest.mark.parametrize(("beta", "gamma"), [(1.0, 1.0), (2.0, 0.5), (1.0, 0.0)])
def test_value_is_the_correlations(T, beta, gamma):
    signals = random_signals(12)
    images, classes = numpy_parts(signals, T)
    value = Loss(SETUP, beta=beta, gamma=gamma, T=T)(signals).item()
    assert value == pytest.approx(beta * images + gamma * classes, rel=1e-4)


def test_it_is_zero_for_equal_logits_also_where_a_class_is_hardly_believed_in():
    signals = random_signals(12)
    logits = signals.logits.clone()
    logits[:, 3] -= 15  # a probability of 1e-7, whose square the authors' 1e-8 would hide
    value = Loss(SETUP)(replace(signals, logits=logits, teacher_logits=logits))
    assert value.item() == pytest.approx(0, abs=1e-5)


def test_a_student_whose_probabilities_go_the_other_way_is_at_two_an_image():
    """Two classes: 1 - p in the place of p, correlation -1 over classes and over images."""
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    signals = replace(random_signals(3), logits=-logits, teacher_logits=logits)
    assert Loss(SETUP)(signals).item() == pytest.approx(4, abs=1e-5)


def test_a_student_that_says_nothing_yet_has_a_finite_gradient():
    logits = torch.zeros(4, 10, requires_grad=True)
    Loss(SETUP)(replace(random_signals(4), logits=logits)).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.abs().sum() > 0


def test_one_image_is_refused():
    with pytest.raises(ValueError, match="a correlation over images needs some: a batch must hold at least 2 images"):
        Loss(SETUP)(random_signals(1))
