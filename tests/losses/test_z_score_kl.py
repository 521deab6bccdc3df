"""Truth: the formula in NumPy and SciPy, float64, and its invariances."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from scipy.stats import zscore

from azeotrope.errors import InputError
from azeotrope.losses._contract import check_meaning
from azeotrope.losses.kl import Loss as Plain
from azeotrope.losses.z_score_kl import Loss
from azeotrope.testing.losses import SETUP, random_signals


def scipy_loss(student, teacher, T):
    p, q = (log_softmax(zscore(logits.double().numpy(), axis=1) / T, axis=1) for logits in (teacher, student))
    return T**2 * np.mean((np.exp(p) * (p - q)).sum(axis=1))


@pytest.mark.parametrize("T", [1.0, 2.0, 5.0])
def test_value_is_the_formula(T):
    signals = random_signals(12)
    expected = scipy_loss(signals.logits, signals.teacher_logits, T)
    assert Loss(SETUP, T=T)(signals).item() == pytest.approx(expected, rel=1e-4)


def test_scale_and_offset_of_either_say_nothing():
    signals = random_signals(12)
    other = replace(signals, logits=5 * signals.logits - 2, teacher_logits=signals.teacher_logits / 3 + 1)
    assert Loss(SETUP)(other).item() == pytest.approx(Loss(SETUP)(signals).item(), rel=1e-4)
    same = replace(signals, logits=7 * signals.teacher_logits)
    assert Loss(SETUP)(same).item() == pytest.approx(0, abs=1e-6)


def test_of_logits_in_standard_units_it_is_kl():
    signals = random_signals(12)
    units = {
        key: torch.from_numpy(zscore(getattr(signals, key).double().numpy(), axis=1)).float()
        for key in ("logits", "teacher_logits")
    }
    standard = replace(signals, **units)
    assert Loss(SETUP, T=3.0)(standard).item() == pytest.approx(Plain(SETUP, T=3.0)(standard).item(), rel=1e-4)


def test_a_student_that_says_nothing_yet_has_a_finite_gradient():
    logits = torch.zeros(4, 10, requires_grad=True)
    Loss(SETUP)(replace(random_signals(4), logits=logits)).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.abs().sum() > 0


def test_other_kinds_of_task_are_refused():
    with pytest.raises(InputError, match="The loss z_score_kl has no meaning for a task of the kind multi"):
        check_meaning(["z_score_kl(T=1)"], "multi")
