"""Truth: Zhao et al. 2022, equations 5-7, image by image in NumPy float64; and their identity with the ordinary KL."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from azeotrope.losses._contract import Setup
from azeotrope.losses.decoupled_kl import Loss
from azeotrope.losses.kl import Loss as WholeKL
from azeotrope.testing.losses import SETUP, random_signals


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def kl(p, q):
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True))


def numpy_parts(batch, temperature):
    """TCKD, NCKD and the teacher's p(true class), of each image."""
    parts = []
    for z_s, z_t, label in zip(batch.logits.double(), batch.teacher_logits.double(), batch.labels, strict=True):
        student, teacher = z_s.numpy() / temperature, z_t.numpy() / temperature
        q, p = softmax(student)[label], softmax(teacher)[label]
        others = [softmax(np.delete(logits, label)) for logits in (teacher, student)]
        parts.append((kl((p, 1 - p), (q, 1 - q)), kl(*others), p))
    return np.array(parts).T


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 8.0), (0.5, 2.0)])
def test_value_is_the_formula(alpha, beta, temperature):
    batch = random_signals(9)
    target, others, _ = numpy_parts(batch, temperature)
    expected = temperature**2 * np.mean(alpha * target + beta * others)
    loss = Loss(SETUP, alpha=alpha, beta=beta, T=temperature)
    assert loss(batch).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_kl_of_one_image_is_its_two_parts_with_the_second_weighted_by_doubt(seed):
    """Equation 7: KL = TCKD + (1 − p_t) NCKD."""
    batch = random_signals(1, seed)
    doubt = 1 - numpy_parts(batch, 4.0)[2].item()
    torch.testing.assert_close(Loss(SETUP, alpha=1.0, beta=doubt)(batch), WholeKL(SETUP)(batch))


def test_two_classes_have_no_others_to_tell_apart():
    batch = replace(random_signals(8), logits=torch.randn(8, 2), teacher_logits=torch.randn(8, 2))
    batch = replace(batch, labels=batch.labels % 2)
    setup = Setup(24, 40, 2)
    torch.testing.assert_close(Loss(setup)(batch), WholeKL(setup)(batch))


def test_defaults_are_those_of_the_method():
    loss = Loss(SETUP)
    assert (loss.alpha, loss.beta, loss.T) == (1.0, 8.0, 4.0)


def test_zero_with_zero_gradient_where_student_equals_teacher():
    batch = random_signals()
    logits = batch.logits.requires_grad_()
    value = Loss(SETUP)(replace(batch, logits=logits, teacher_logits=logits.detach()))
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-5)
    assert logits.grad.abs().max() < 1e-5


def test_a_teacher_without_doubt_has_a_finite_gradient():
    batch = random_signals(4)
    sure = torch.full((4, 10), -1e4).scatter(1, batch.labels[:, None], 1e4)
    logits = batch.logits.requires_grad_()
    Loss(SETUP)(replace(batch, logits=logits, teacher_logits=sure)).backward()
    assert torch.isfinite(logits.grad).all()


def test_a_batch_shown_twice_has_the_same_value():
    batch = random_signals(6)
    twice = replace(
        random_signals(12),
        logits=batch.logits.repeat(2, 1),
        labels=batch.labels.repeat(2),
        teacher_logits=batch.teacher_logits.repeat(2, 1),
    )
    torch.testing.assert_close(Loss(SETUP)(twice), Loss(SETUP)(batch))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits_give_float32(dtype):
    batch = random_signals()
    half = replace(batch, logits=batch.logits.to(dtype), teacher_logits=batch.teacher_logits.to(dtype))
    value = Loss(SETUP)(half)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(Loss(SETUP)(batch).item(), rel=2e-2)


def test_the_weight_rises_over_the_first_twelfth_of_the_training():
    """The authors' code: min(epoch / 20, 1) of 240 epochs."""
    batch, loss = random_signals(), Loss(SETUP)
    whole = loss(batch)
    for epoch, share in ((1, 1 / 20), (10, 0.5), (20, 1), (240, 1)):
        torch.testing.assert_close(loss(replace(batch, progress=epoch / 240)), share * whole)
