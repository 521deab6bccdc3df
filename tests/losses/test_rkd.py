"""Truth: Park et al. 2019 as loops over pairs and triplets in NumPy float64; figures with known angles."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from azeotrope.losses._contract import Setup
from azeotrope.losses.rkd import Loss, cosines, distances, triplets
from azeotrope.testing.losses import SETUP, random_signals


def smooth_l1(x):
    return x * x / 2 if abs(x) < 1 else abs(x) - 0.5


def numpy_distance_term(student, teacher):
    def relative(x):
        found = np.array([np.linalg.norm(a - b) for a, b in itertools.combinations(x, 2)])
        return found / found.mean()

    return np.mean([smooth_l1(difference) for difference in relative(student) - relative(teacher)])


def numpy_cosine(x, i, j, k):
    left, right = x[i] - x[j], x[k] - x[j]
    return np.dot(left / np.linalg.norm(left), right / np.linalg.norm(right))


def numpy_angle_term(student, teacher, chosen):
    return np.mean([smooth_l1(numpy_cosine(student, *c) - numpy_cosine(teacher, *c)) for c in chosen])


def in_float64(batch):
    return batch.features.double().numpy(), batch.teacher_features.double().numpy()


@pytest.mark.parametrize("images", [3, 8])
def test_value_is_the_formula_over_all_pairs_and_triplets(images):
    batch = random_signals(images)
    student, teacher = in_float64(batch)
    every = itertools.permutations(range(images), 3)
    expected = 25 * numpy_distance_term(student, teacher) + 50 * numpy_angle_term(student, teacher, every)
    assert Loss(SETUP)(batch).item() == pytest.approx(expected, rel=1e-5)


def test_a_large_batch_takes_the_sampled_triplets():
    batch = random_signals(20)
    student, teacher = in_float64(batch)
    loss = Loss(SETUP, distance_weight=0.0, angle_weight=1.0, angles_per_image=10)
    expected = numpy_angle_term(student, teacher, triplets(20, 10).T.tolist())
    assert loss(batch).item() == pytest.approx(expected, rel=1e-5)


def test_distances_far_off_are_in_the_linear_part():
    """One outlier of the student makes |difference| > 1: 1.5 and 4.5 apart of a mean."""
    line = torch.tensor([[0.0], [1.0], [2.0], [3.0], [60.0]])
    even = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0]])
    batch = replace(random_signals(5), features=line, teacher_features=even)
    expected = 25 * numpy_distance_term(line.numpy(), even.numpy())
    assert Loss(Setup(1, 1, 10), angle_weight=0.0)(batch).item() == pytest.approx(expected, rel=1e-5)


def test_defaults_are_those_of_the_method():
    loss = Loss(SETUP)
    assert (loss.distance_weight, loss.angle_weight) == (25.0, 50.0)


@pytest.mark.parametrize(
    ("points", "cosine"),
    [
        ([[1.0, 0.0], [0.0, 0.0], [0.0, 3.0]], 0.0),
        ([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]], 1.0),
        ([[1.0, 0.0], [0.0, 0.0], [-9.0, 0.0]], -1.0),
        ([[1.0, 0.0], [0.0, 0.0], [0.5, 0.75**0.5]], 0.5),
        ([[0.0, 0.0], [0.0, 0.0], [2.0, 0.0]], 0.0),
    ],
    ids=["right", "folded", "straight", "equilateral", "no angle at a point"],
)
def test_cosines_of_known_angles(points, cosine):
    angle = torch.tensor([[0], [1], [2]])
    assert cosines(distances(torch.tensor(points)), angle).item() == pytest.approx(cosine, abs=1e-6)


@pytest.mark.parametrize("images", [3, 4, 12])
def test_small_batches_take_every_angle_once(images):
    chosen = {(min(i, k), j, max(i, k)) for i, j, k in triplets(images, 64).T.tolist()}
    every = {(i, j, k) for i, j, k in itertools.permutations(range(images), 3) if i < k}
    assert chosen == every
    assert triplets(images, 64).shape[1] == len(every)


def test_large_batches_take_as_many_angles_at_every_image_of_three_different_ones():
    first, vertex, second = triplets(100, 64)
    assert vertex.bincount().tolist() == [64] * 100
    assert ((first != vertex) & (second != vertex) & (first != second)).all()
    assert set(first.tolist()) | set(second.tolist()) == set(range(100))


def test_the_number_of_angles_grows_with_the_batch_not_with_its_cube():
    assert [triplets(images, 64).shape[1] for images in (64, 128, 256)] == [64 * 64, 64 * 128, 64 * 256]


def test_the_draw_is_the_same_again_and_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    chosen = triplets(50, 8)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(triplets(50, 8), chosen)


def test_a_turned_shifted_and_stretched_copy_is_the_same_figure():
    batch = random_signals(9)
    turn = torch.linalg.qr(torch.randn(24, 24, generator=torch.Generator().manual_seed(0)))[0]
    copy = replace(batch, teacher_features=7 * batch.features @ turn + 3)
    assert Loss(Setup(24, 24, 10))(copy).item() == pytest.approx(0, abs=1e-8)


def test_zero_with_finite_gradient_where_student_equals_teacher_and_images_repeat():
    features = random_signals(6).features.repeat(2, 1).requires_grad_()
    batch = replace(random_signals(12), features=features, teacher_features=features.detach())
    value = Loss(Setup(24, 24, 10))(batch)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-8)
    assert torch.isfinite(features.grad).all()


def test_a_constant_student_has_a_finite_gradient():
    batch = random_signals(6)
    constant = torch.ones(6, 24, requires_grad=True)
    Loss(SETUP)(replace(batch, features=constant)).backward()
    assert torch.isfinite(constant.grad).all()


def test_gradients_agree_with_finite_differences():
    batch = random_signals(5)
    student, teacher = batch.features.double().requires_grad_(), distances(batch.teacher_features.double())
    assert torch.autograd.gradcheck(lambda x: Loss(SETUP).value(distances(x), teacher), (student,))


def test_half_precision_features_give_float32():
    batch = random_signals(16)
    half = replace(batch, features=batch.features.bfloat16(), teacher_features=batch.teacher_features.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        value = Loss(SETUP)(half)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(Loss(SETUP)(batch).item(), rel=0.02)


def test_a_batch_of_two_is_refused():
    with pytest.raises(ValueError, match="angles need triplets: a batch must hold at least 3 images, got 2"):
        Loss(SETUP)(random_signals(2))
