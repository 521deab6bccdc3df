"""Truth: −Σ q log p with a smoothed label, in NumPy float64; Szegedy et al. 2016, section 7."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from azeotrope.kinds._balance import UNBALANCED, Balance
from azeotrope.kinds.single import UNLABELLED
from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses.cross_entropy import Loss


def cross_entropy(logits, labels, smoothing=0.0, balance=UNBALANCED):
    loss = Loss(Setup(2, 0, logits.shape[1], label_smoothing=smoothing, balance=balance))
    return loss(Signals(torch.zeros(len(logits), 2), logits, torch.as_tensor(labels)))


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.normal(scale=3, size=(9, 6)), rng.integers(0, 6, 9)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_value_is_the_formula(problem, smoothing):
    logits, labels = problem
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    q = (1 - smoothing) * np.eye(6)[labels] + smoothing / 6
    expected = -np.mean([(q[i] * log_p[i]).sum() for i in range(len(q))])
    assert cross_entropy(torch.tensor(np.float32(logits)), labels, smoothing).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_weights_are_torchs_but_for_a_mean_over_images(problem):
    logits, labels = torch.tensor(np.float32(problem[0])), torch.tensor(problem[1])
    weights = torch.arange(1.0, 7)
    expected = functional.cross_entropy(logits, labels, weight=weights, reduction="sum") / len(labels)
    torch.testing.assert_close(cross_entropy(logits, labels, balance=Balance(weights=weights)), expected)
    alone = torch.cat([logits, logits[:3]]), torch.cat([labels, torch.full((3,), UNLABELLED)])
    torch.testing.assert_close(cross_entropy(*alone, balance=Balance(weights=weights)), expected)


def test_weights_weight_the_smoothed_term_of_the_image(problem):
    logits, labels = torch.tensor(np.float32(problem[0])), torch.tensor(problem[1])
    each = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=0.2)
    weights = torch.arange(1.0, 7)
    value = cross_entropy(logits, labels, 0.2, Balance(weights=weights))
    torch.testing.assert_close(value, (weights[labels] * each).mean())
    equal = cross_entropy(logits, labels, 0.2, Balance(weights=torch.ones(6)))
    torch.testing.assert_close(equal, cross_entropy(logits, labels, 0.2))


def test_with_logit_adjustment_the_lowest_loss_is_where_classes_of_unequal_size_say_the_same():
    """Menon et al. 2021: where images tell nothing, the plain loss is lowest at the log of the shares, and the adjusted
    one, with tau 1, where all outputs are equal.
    """
    labels = torch.repeat_interleave(torch.arange(3), torch.tensor([70, 25, 5]))
    offsets = torch.tensor([0.70, 0.25, 0.05]).log()
    bias = torch.zeros(3, requires_grad=True)
    cross_entropy(bias.expand(100, 3), labels, balance=Balance(offsets=offsets)).backward()
    torch.testing.assert_close(bias.grad, torch.zeros(3), atol=1e-6, rtol=0)
    plain = offsets.clone().requires_grad_()
    cross_entropy(plain.expand(100, 3), labels).backward()
    torch.testing.assert_close(plain.grad, torch.zeros(3), atol=1e-6, rtol=0)


@pytest.mark.parametrize("classes", [2, 10, 1000])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_an_ignorant_student_pays_log_classes(classes, smoothing):
    value = cross_entropy(torch.zeros(5, classes), [0, 1, 0, 1, 0], smoothing)
    assert value.item() == pytest.approx(math.log(classes), rel=1e-6)


def test_a_batch_shown_twice_has_the_same_value(problem):
    logits, labels = torch.tensor(np.float32(problem[0])), torch.tensor(problem[1])
    torch.testing.assert_close(
        cross_entropy(logits.repeat(2, 1), labels.repeat(2), 0.1), cross_entropy(logits, labels, 0.1)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits_give_float32(problem, dtype):
    logits, labels = problem
    value = cross_entropy(torch.tensor(logits).to(dtype), labels)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(cross_entropy(torch.tensor(np.float32(logits)), labels).item(), rel=1e-2)
