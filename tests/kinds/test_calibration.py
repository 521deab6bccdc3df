"""Log-loss and calibration of what a student says, by kind of task."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from azeotrope.kinds._calibration import expected_calibration_error
from azeotrope.kinds._kind import kind_named


def test_two_bins_by_hand():
    """0.9 said three times and right once: 17/30 off; 0.1 said once and never right: 0.1 off."""
    said, came_true = np.array([0.9, 0.9, 0.9, 0.1]), np.array([True, False, False, False])
    assert expected_calibration_error(said, came_true) == pytest.approx(0.75 * (0.9 - 1 / 3) + 0.25 * 0.1)


def test_answers_as_often_right_as_they_say_have_none():
    said = np.full(1000, 0.7)
    assert expected_calibration_error(said, np.arange(1000) < 700) == pytest.approx(0, abs=1e-12)


def test_being_sure_and_wrong_is_one():
    assert expected_calibration_error(np.ones(4), np.zeros(4, bool)) == 1


def test_of_one_class_an_image_it_is_that_of_the_answer():
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1]] * 10))
    labels = torch.tensor([0] * 4 + [1] * 6)
    kind = kind_named("single")
    assert kind.calibration_error(logits, labels) == pytest.approx(0.3)
    expected = log_loss(labels.numpy(), logits.double().softmax(1).numpy(), labels=[0, 1, 2])
    assert kind.log_loss(logits, labels) == pytest.approx(expected, rel=1e-5)


def test_of_several_labels_it_is_that_of_every_yes_and_no():
    logits = torch.logit(torch.tensor([[0.8, 0.4]] * 10))
    labels = torch.tensor([[1.0, 0.0]] * 10)
    kind = kind_named("multi")
    assert kind.calibration_error(logits, labels) == pytest.approx((0.2 + 0.4) / 2, abs=1e-6)
    assert kind.log_loss(logits, labels) == pytest.approx(-math.log(0.8) - math.log(0.6), rel=1e-5)


def test_a_number_has_neither():
    kind = kind_named("number")
    outputs = torch.zeros(3, 1)
    assert kind.log_loss(outputs, outputs) is None
    assert kind.calibration_error(outputs, outputs) is None
