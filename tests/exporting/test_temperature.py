"""Temperatures that are known because the labels were drawn from the probabilities."""

import numpy as np
import pytest
import torch

from azeotrope.exporting.temperature import calibrated, fitted_temperature
from azeotrope.kinds._kind import kind_named

SINGLE, MULTI, NUMBER = (kind_named(name) for name in ("single", "multi", "number"))


def drawn(images=4000, classes=6, seed=0):
    """Logits and labels that are drawn from their softmax: calibrated by construction."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(images, classes, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return logits, labels


@pytest.mark.parametrize("overconfident", [0.5, 3.0])
def test_the_factor_by_which_logits_are_too_large_is_found(overconfident):
    logits, labels = drawn()
    found = calibrated(SINGLE, overconfident * logits, labels)
    assert found.temperature == pytest.approx(overconfident, rel=0.06)  # 4,000 images: a standard error of 2 %
    assert found.log_loss_after == pytest.approx(SINGLE.log_loss(logits, labels), rel=0.01)
    assert found.log_loss_after < found.log_loss_before
    chance = SINGLE.calibration_error(logits, labels)  # of 4,000 images in 15 bins, with the true probabilities
    assert found.calibration_error_after == pytest.approx(chance, abs=0.01)
    assert found.calibration_error_before > chance + 0.1


def test_it_is_the_minimum_of_the_log_loss():
    logits, labels = drawn(300)
    best = fitted_temperature(SINGLE, 2 * logits, labels)
    grid = np.exp(np.linspace(-2, 2, 2001))
    losses = [SINGLE.log_loss(2 * logits / t, labels) for t in grid]
    assert best == pytest.approx(grid[int(np.argmin(losses))], rel=4e-3)


def test_several_labels_an_image():
    generator = torch.Generator().manual_seed(1)
    logits = 2 * torch.randn(4000, 3, generator=generator)
    labels = torch.bernoulli(logits.sigmoid(), generator=generator)
    assert calibrated(MULTI, 2.5 * logits, labels).temperature == pytest.approx(2.5, rel=0.06)


def test_where_it_gains_nothing_it_is_one():
    found = calibrated(SINGLE, *drawn(60, seed=3))  # calibrated already: what 48 images say of it is noise
    assert found.temperature == 1.0
    assert found.log_loss_after == found.log_loss_before


def test_few_images_are_not_enough():
    logits, labels = drawn(40)
    assert calibrated(SINGLE, 5 * logits, labels).temperature == 1.0


def test_a_number_has_none():
    assert calibrated(NUMBER, torch.randn(100, 1), torch.randn(100)) is None
