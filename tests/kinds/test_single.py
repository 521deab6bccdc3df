"""The mean per-class error against scikit-learn's balanced accuracy."""

import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from azeotrope.kinds._kind import UNSCALED
from azeotrope.kinds.single import KIND as SINGLE


@pytest.mark.parametrize("shares", [(0.9, 0.07, 0.03), (0.4, 0.3, 0.3)])
def test_the_mean_per_class_error_is_one_less_scikit_learns_balanced_accuracy(shares):
    torch.manual_seed(0)
    targets = torch.multinomial(torch.tensor(shares), 500, replacement=True)
    outputs = torch.randn(500, 3) + 1.5 * torch.nn.functional.one_hot(targets, 3)
    said = SINGLE.said(outputs, UNSCALED)
    expected = 1 - balanced_accuracy_score(targets.numpy(), said)
    assert SINGLE.metrics(outputs, targets, UNSCALED)["per_class_error"] == pytest.approx(expected)


def test_a_class_without_test_images_is_left_out_of_the_mean():
    outputs, targets = torch.eye(4)[[0, 1, 1]], torch.tensor([0, 0, 1])
    assert SINGLE.metrics(outputs, targets, UNSCALED)["per_class_error"] == pytest.approx((1 / 2 + 0) / 2)


def test_always_naming_the_common_class_is_right_on_most_images_and_on_one_class():
    outputs = torch.tensor([[1.0, 0.0]]).expand(100, 2)
    targets = torch.tensor([0] * 95 + [1] * 5)
    assert SINGLE.error(outputs, targets) == pytest.approx(0.05)
    assert SINGLE.metrics(outputs, targets, UNSCALED)["per_class_error"] == pytest.approx(0.5)
