"""Truth: the formula of docs/losses.md in NumPy float64, and closed forms."""

import math

import numpy as np
import pytest
import torch

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses.kl import Loss


def signals(student, teacher):
    student, teacher = (torch.as_tensor(logits) for logits in (student, teacher))
    count = len(student)
    return Signals(torch.zeros(count, 2), student, torch.zeros(count, dtype=torch.long), torch.zeros(count, 2), teacher)


def kl(student, teacher, temperature=4.0):
    loss = Loss(Setup(2, 2, np.shape(student)[1]), T=temperature)
    return loss(signals(student, teacher))


def softmax(logits, temperature):
    powers = np.exp((logits - logits.max(1, keepdims=True)) / temperature)
    return powers / powers.sum(1, keepdims=True)


def numpy_kl(student, teacher, temperature):
    p, q = softmax(teacher, temperature), softmax(student, temperature)
    return temperature**2 * np.mean([sum(p[i] * (np.log(p[i]) - np.log(q[i]))) for i in range(len(p))])


@pytest.fixture
def logits():
    draws = np.random.default_rng(0).normal(scale=3, size=(2, 12, 7))
    return draws[0], draws[1]


@pytest.mark.parametrize("temperature", [1.0, 4.0, 20.0])
def test_value_is_the_formula(logits, temperature):
    student, teacher = logits
    value = kl(np.float32(student), np.float32(teacher), temperature).item()
    assert value == pytest.approx(numpy_kl(student, teacher, temperature), rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_gradient_is_temperature_times_the_difference_of_probabilities(logits, temperature):
    student, teacher = logits
    leaf = torch.tensor(student, dtype=torch.float32, requires_grad=True)
    kl(leaf, np.float32(teacher), temperature).backward()
    expected = temperature * (softmax(student, temperature) - softmax(teacher, temperature)) / len(student)
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("classes", [10, 1000])
@pytest.mark.parametrize("images", [1, 64])
def test_a_certain_teacher_and_an_ignorant_student_are_log_classes_apart(classes, images):
    """KL(one-hot ‖ uniform) = log C for every image: neither the batch nor the classes divide it."""
    teacher = torch.full((images, classes), -1e4)
    teacher[:, 3] = 0
    assert kl(torch.zeros(images, classes), teacher).item() == pytest.approx(16 * math.log(classes), rel=1e-5)


def test_zero_with_zero_gradient_where_student_equals_teacher(logits):
    leaf = torch.tensor(logits[0], dtype=torch.float32, requires_grad=True)
    value = kl(leaf, leaf.detach())
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert leaf.grad.abs().max() < 1e-6


def test_a_batch_shown_twice_has_the_same_value(logits):
    student, teacher = (torch.tensor(part, dtype=torch.float32) for part in logits)
    twice = kl(student.repeat(2, 1), teacher.repeat(2, 1))
    torch.testing.assert_close(twice, kl(student, teacher))


@pytest.mark.parametrize(("dtype", "error"), [(torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
def test_half_precision_logits_lose_no_more_than_their_own_rounding(logits, dtype, error):
    value = kl(*(torch.tensor(part).to(dtype) for part in logits))
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(numpy_kl(*logits, 4.0), rel=error)


def test_large_logits_do_not_overflow():
    assert kl(torch.tensor([[1e4, -1e4]]), torch.tensor([[-1e4, 1e4]])).item() == pytest.approx(16 * 2e4 / 4, rel=1e-5)
