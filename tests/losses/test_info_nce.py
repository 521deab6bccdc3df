"""Truth: −log of a share of exponentials, image by image in NumPy float64, and sets of points with known cosines."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from azeotrope.losses.info_nce import Loss
from azeotrope.testing.losses import SETUP, random_signals


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def random_pair(images, width=5, seed=0):
    draws = np.random.default_rng(seed).normal(size=(2, images, width))
    return (torch.from_numpy(unit(draw)) for draw in draws)


def one_direction(anchors, others, temperature):
    terms = []
    for i in range(len(anchors)):
        weights = [math.exp(np.dot(anchors[i], others[j]) / temperature) for j in range(len(others))]
        terms.append(-math.log(weights[i] / sum(weights)))
    return np.mean(terms)


def numpy_info_nce(student, teacher, temperature):
    both = one_direction(student, teacher, temperature) + one_direction(teacher, student, temperature)
    return both / 2 - math.log(len(student))


@pytest.mark.parametrize("temperature", [0.07, 0.5, 1.0])
@pytest.mark.parametrize("images", [2, 9])
def test_value_is_the_formula(images, temperature):
    student, teacher = random_pair(images)
    expected = numpy_info_nce(student.numpy(), teacher.numpy(), temperature)
    assert Loss(SETUP, tau=temperature).value(student, teacher).item() == pytest.approx(expected, rel=1e-9)


def test_the_loss_takes_projected_unit_embeddings_of_both(projected):
    torch.manual_seed(0)
    loss, batch = Loss(SETUP, width=6), random_signals(7)
    student = unit(projected(loss.student_projector, batch.features))
    teacher = unit(projected(loss.teacher_projector, batch.teacher_features))
    assert loss(batch).item() == pytest.approx(numpy_info_nce(student, teacher, 0.07), rel=1e-4)


def test_defaults_are_those_of_the_method():
    loss = Loss(SETUP)
    assert loss.tau == 0.07
    assert [loss.student_projector[2].out_features, loss.teacher_projector[2].out_features] == [128, 128]


@pytest.mark.parametrize("images", [2, 50])
def test_embeddings_that_tell_nothing_apart_are_at_chance(images):
    everywhere_alike = torch.tensor([[0.6, 0.8]]).repeat(images, 1)
    assert Loss(SETUP).value(everywhere_alike, everywhere_alike).item() == pytest.approx(0, abs=1e-5)


def test_equal_orthogonal_embeddings_have_a_known_value_near_the_bound():
    """Cosine 1 with itself, 0 with 5 others: log((1 + 5 e^(−1/τ)) / 6)."""
    value = Loss(SETUP, tau=0.5).value(torch.eye(6), torch.eye(6)).item()
    assert value == pytest.approx(math.log((1 + 5 * math.exp(-2)) / 6), rel=1e-5)
    assert value > -math.log(6)


def test_the_student_and_the_teacher_may_swap():
    student, teacher = random_pair(8)
    torch.testing.assert_close(Loss(SETUP).value(student, teacher), Loss(SETUP).value(teacher, student))


def test_a_batch_shown_twice_has_the_same_value():
    student, teacher = random_pair(6)
    twice = Loss(SETUP).value(student.repeat(2, 1), teacher.repeat(2, 1))
    torch.testing.assert_close(twice, Loss(SETUP).value(student, teacher))


def test_views_of_one_image_are_no_negatives_of_each_other():
    """Each row against itself and the rows of other images only; chance is still 0."""
    (student, teacher), places = random_pair(6), [4, 1, 4, 0, 4, 1]
    terms = []
    for a, b in ((student.numpy(), teacher.numpy()), (teacher.numpy(), student.numpy())):
        for i in range(6):
            kept = [j for j in range(6) if j == i or places[j] != places[i]]
            weights = {j: math.exp(np.dot(a[i], b[j]) / 0.07) for j in kept}
            terms.append(-math.log(weights[i] / sum(weights.values())) - math.log(len(kept)))
    value = Loss(SETUP).value(student, teacher, torch.tensor(places))
    assert value.item() == pytest.approx(np.mean(terms), rel=1e-9)
    torch.testing.assert_close(
        Loss(SETUP).value(student, teacher, torch.arange(6)), Loss(SETUP).value(student, teacher)
    )
    alike = torch.tensor([[0.6, 0.8]]).repeat(6, 1)
    assert Loss(SETUP).value(alike, alike, torch.tensor(places)).item() == pytest.approx(0, abs=1e-5)


def test_gradients_agree_with_finite_differences_and_are_finite_at_equality():
    student, teacher = random_pair(5)
    assert torch.autograd.gradcheck(Loss(SETUP).value, (student.requires_grad_(), teacher.requires_grad_()))
    same = student.detach().clone().requires_grad_()
    Loss(SETUP).value(same, same.detach()).backward()
    assert torch.isfinite(same.grad).all()


def test_both_projectors_learn():
    torch.manual_seed(0)
    loss = Loss(SETUP)
    loss(random_signals()).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())


def test_half_precision_features_give_float32():
    torch.manual_seed(0)
    loss, batch = Loss(SETUP), random_signals()
    half = replace(batch, features=batch.features.bfloat16(), teacher_features=batch.teacher_features.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(half)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss(batch).item(), abs=0.02)


def test_a_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="the negatives are the other images: a batch must hold at least 2 images, g"):
        Loss(SETUP)(random_signals(1))
