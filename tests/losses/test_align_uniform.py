"""Truth: the formula of docs/losses.md as double loops in NumPy float64, and point sets whose distances are known."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from azeotrope.losses._contract import Setup, Signals
from azeotrope.losses.align_uniform import Loss, alignment, uniformity

SETUP = Setup(student_features=12, teacher_features=20, classes=3)


def unit_rows(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def unit(rows, width, seed):
    return torch.from_numpy(unit_rows(np.random.default_rng(seed).normal(size=(rows, width))))


def numpy_alignment(a, b, power):
    return np.mean([np.linalg.norm(a[i] - b[i]) ** power for i in range(len(a))])


def numpy_uniformity(x, t):
    pairs = itertools.combinations(range(len(x)), 2)
    return np.log(np.mean([np.exp(-t * np.sum((x[i] - x[j]) ** 2)) for i, j in pairs]))


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_alignment_is_the_mean_distance_to_a_power(power):
    a, b = unit(7, 5, 0), unit(7, 5, 1)
    assert alignment(a, b, power).item() == pytest.approx(numpy_alignment(a.numpy(), b.numpy(), power), rel=1e-9)


@pytest.mark.parametrize("t", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("rows", [2, 9])
def test_uniformity_is_the_mean_over_pairs(rows, t):
    x = unit(rows, 5, 0)
    assert uniformity(x, t).item() == pytest.approx(numpy_uniformity(x.numpy(), t), rel=1e-9)


def simplex(corners):
    """Unit vectors with equal distances: cosines −1 / (n − 1)."""
    centred = torch.eye(corners, dtype=torch.float64) - 1 / corners
    return centred / centred.norm(dim=1, keepdim=True)


@pytest.mark.parametrize(
    ("points", "squared_distance"),
    [
        (torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), 4.0),
        (torch.eye(6), 2.0),
        (simplex(5), 2 * (1 + 1 / 4)),
        (torch.tensor([[0.6, 0.8]]).repeat(4, 1), 0.0),
    ],
    ids=["antipodal", "orthogonal", "simplex", "collapsed"],
)
def test_uniformity_of_equidistant_points(points, squared_distance):
    assert uniformity(points, 2.0).item() == pytest.approx(-2 * squared_distance, abs=1e-5)


def test_the_simplex_is_the_most_uniform_set():
    """Wang & Isola 2020: the optimum; any other five points score higher."""
    best = uniformity(simplex(5)).item()
    assert all(uniformity(unit(5, 5, seed)).item() > best for seed in range(20))


def test_uniformity_of_a_batch_shown_twice_is_known():
    """Of the 2n(2n−1) ordered pairs each of the n(n−1) appears four times, and 2n are a point with its copy."""
    x, n = unit(6, 4, 0), 6
    once = uniformity(x).exp().item()
    expected = math.log((4 * n * (n - 1) * once + 2 * n) / (2 * n * (2 * n - 1)))
    assert uniformity(x.repeat(2, 1)).item() == pytest.approx(expected, rel=1e-9)


def test_alignment_of_a_batch_shown_twice_is_the_same():
    a, b = unit(6, 4, 0), unit(6, 4, 1)
    torch.testing.assert_close(alignment(a.repeat(2, 1), b.repeat(2, 1)), alignment(a, b))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_alignment_at_equality_is_zero_with_finite_gradient(power):
    a = unit(4, 5, 0).requires_grad_()
    value = alignment(a, a.detach(), power)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-5)
    assert torch.isfinite(a.grad).all()


def test_gradients_agree_with_finite_differences():
    a, b = unit(5, 4, 0).requires_grad_(), unit(5, 4, 1).requires_grad_()
    assert torch.autograd.gradcheck(uniformity, (a,))
    assert torch.autograd.gradcheck(lambda a, b: alignment(a, b, 3.0), (a, b))
    assert torch.autograd.gradcheck(Loss(SETUP).value, (a, b))


def signals(count=10, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    features, teacher = (torch.randn(count, width, generator=generator).to(dtype) for width in (12, 20))
    logits = torch.zeros(count, 3)
    return Signals(features, logits, torch.zeros(count, dtype=torch.long), teacher, logits)


@pytest.mark.parametrize(("align", "uniform"), [(1.0, 1.0), (0.5, 2.0)])
def test_the_loss_is_the_weighted_sum_of_projected_unit_embeddings(align, uniform, projected):
    torch.manual_seed(0)
    loss = Loss(SETUP, width=6, align_weight=align, uniform_weight=uniform)

    batch = signals()
    student = unit_rows(projected(loss.student_projector, batch.features))
    teacher = unit_rows(projected(loss.teacher_projector, batch.teacher_features))
    spread = (numpy_uniformity(student, 2.0) + numpy_uniformity(teacher, 2.0)) / 2
    assert loss(batch).item() == pytest.approx(
        align * numpy_alignment(student, teacher, 2) + uniform * spread, rel=1e-4
    )


def test_defaults_are_those_of_the_method():
    loss = Loss(SETUP)
    assert (loss.alpha, loss.t, loss.align_weight, loss.uniform_weight) == (2.0, 2.0, 1.0, 1.0)
    assert [loss.student_projector[2].out_features, loss.teacher_projector[2].out_features] == [128, 128]


def test_both_projectors_learn():
    torch.manual_seed(0)
    loss = Loss(SETUP)
    loss(signals()).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())


def test_at_equality_only_uniformity_is_left():
    x = unit(6, 8, 0)
    assert Loss(SETUP).value(x, x).item() == pytest.approx(numpy_uniformity(x.numpy(), 2.0), rel=1e-9)


PLACES = torch.tensor([4, 1, 4, 0, 4, 1])


def test_views_of_one_image_are_not_pushed_apart():
    """As double loops over the pairs of different images; with the same images, only alignment is left to pull."""
    a, b = unit(6, 5, 0), unit(6, 5, 1)
    pairs = [pair for pair in itertools.combinations(range(6), 2) if PLACES[pair[0]] != PLACES[pair[1]]]
    assert len(pairs) == 11
    spread = [
        np.log(np.mean([np.exp(-2 * np.sum((x[i] - x[j]) ** 2)) for i, j in pairs])) for x in (a.numpy(), b.numpy())
    ]
    expected = numpy_alignment(a.numpy(), b.numpy(), 2) + sum(spread) / 2
    assert Loss(SETUP).value(a, b, PLACES).item() == pytest.approx(expected, rel=1e-9)
    torch.testing.assert_close(Loss(SETUP).value(a, b, torch.arange(6)), Loss(SETUP).value(a, b))


def test_a_batch_of_one_image_alone_has_nothing_to_spread():
    a, b = unit(3, 5, 0).requires_grad_(), unit(3, 5, 1)
    value = Loss(SETUP).value(a, b, torch.zeros(3).long())
    assert value.item() == pytest.approx(numpy_alignment(a.detach().numpy(), b.numpy(), 2), rel=1e-9)
    (pull,) = torch.autograd.grad(value, a)
    (alone,) = torch.autograd.grad(alignment(a, b), a)
    torch.testing.assert_close(pull, alone)


def test_the_batch_says_which_rows_are_one_image():
    torch.manual_seed(0)
    loss, batch = Loss(SETUP), signals(6)
    again = loss(replace(batch, places=PLACES))
    assert again.item() != pytest.approx(loss(batch).item(), rel=1e-3)
    torch.testing.assert_close(loss(replace(batch, places=torch.arange(6))), loss(batch))


def test_a_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="a batch must hold at least 2 images"):
        Loss(SETUP)(signals(count=1))
