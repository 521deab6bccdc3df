"""docs/reduction.md, shown: InfoNCE is alignment plus uniformity, up to a deviation that falls as 1 / images.

Truth: Wang & Isola 2020, theorem 1, whose limit has a closed form for the two worlds used here, and the delta method
for the deviation. A batch of B holds B − 1 negatives for each anchor; `info_nce` subtracts log B.
"""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom
from torch.nn import functional

from azeotrope.losses.align_uniform import alignment, uniformity
from azeotrope.losses.info_nce import Loss
from azeotrope.testing.losses import SETUP

SIZES = np.array([16, 64, 256])


def info_nce(student, teacher, temperature):
    return Loss(SETUP, tau=temperature).value(student, teacher).item()


def align_uniform(student, teacher, temperature):
    """The weights and t that belong to a temperature: t = 1 / 2τ, w_a = t, w_u = 1."""
    t = 1 / (2 * temperature)
    return (t * alignment(student, teacher) + (uniformity(student, t) + uniformity(teacher, t)) / 2).item()


def coefficient(positive, mean, second_moment):
    """Of 1 / B in E log D, D the mean of one e^positive and of B − 1 independent draws with these moments."""
    return math.exp(positive) / mean - 1 - (second_moment / mean**2 - 1) / 2


def slope(errors):
    """d log error / d log images."""
    return np.polyfit(np.log(SIZES), np.log(np.abs(errors)), 1)[0]


class TwoPoles:
    """Embeddings +1 with probability `share`, else −1; the student is the teacher. Uniform only if share = ½."""

    def __init__(self, share, temperature):
        self.share, self.temperature = share, temperature
        near, far = math.exp(1 / temperature), math.exp(-1 / temperature)
        self.anchors = [(q, q * near + (1 - q) * far, q * near**2 + (1 - q) * far**2) for q in (share, 1 - share)]

    def limit(self):
        return -1 / self.temperature + sum(q * math.log(mean) for q, mean, _ in self.anchors)

    def log_outside(self):
        """The limit with log E E in the place of E log E: uniformity's form."""
        return -1 / self.temperature + math.log(sum(q * mean for q, mean, _ in self.anchors))

    def coefficient(self):
        return sum(q * coefficient(1 / self.temperature, mean, second) for q, mean, second in self.anchors)

    def expected(self, images):
        """The loss's expectation without sampling error: but for the order there are only B + 1 batches."""
        total = 0.0
        for positives in range(images + 1):
            batch = torch.ones(images, 1, dtype=torch.float64)
            batch[positives:] = -1
            total += binom.pmf(positives, images, self.share) * info_nce(batch, batch, self.temperature)
        return total


@pytest.mark.parametrize(("share", "temperature"), [(0.5, 0.25), (0.3, 0.5)])
def test_the_expected_loss_reaches_the_theorems_limit_as_one_over_the_images(share, temperature):
    world = TwoPoles(share, temperature)
    errors = np.array([world.expected(images) for images in SIZES]) - world.limit()
    assert slope(errors) == pytest.approx(-1, abs=0.03)
    np.testing.assert_allclose(SIZES * errors, world.coefficient(), rtol=0.05)


def test_where_embeddings_are_not_uniform_the_log_stays_inside_the_mean():
    """E log E and log E E are 0.06 apart here: the limit is the theorem's term, uniformity is above it."""
    world = TwoPoles(0.3, 0.5)
    gap = world.log_outside() - world.limit()
    assert gap > 0.05
    assert abs(world.expected(256) - world.limit()) < gap / 10


COSINE = 0.9  # between student and teacher of the same image


def on_the_sphere(images, generator):
    """Teacher uniform on the unit sphere in three dimensions; student at a fixed angle in a random direction."""
    teacher = functional.normalize(torch.randn(images, 3, generator=generator, dtype=torch.float64))
    away = torch.linalg.cross(teacher, torch.randn(images, 3, generator=generator, dtype=torch.float64))
    return COSINE * teacher + math.sqrt(1 - COSINE**2) * functional.normalize(away), teacher


@pytest.mark.parametrize("temperature", [0.5, 0.25])
def test_on_a_uniform_sphere_info_nce_and_align_uniform_have_the_same_limit(temperature):
    """E e^(⟨x, y⟩ / τ) = sinh(κ) / κ, κ = 1 / τ (Archimedes: a coordinate of a uniform point is uniform)."""
    kappa = 1 / temperature
    mean, second = math.sinh(kappa) / kappa, math.sinh(2 * kappa) / (2 * kappa)
    limit = -kappa * COSINE + math.log(mean)
    generator = torch.Generator().manual_seed(0)
    found = []
    for images in SIZES.tolist():
        batches = [on_the_sphere(images, generator) for _ in range(200)]
        found.append([np.mean([loss(*batch, temperature) for batch in batches]) for loss in (info_nce, align_uniform)])
    contrast, two_terms = np.array(found).T - limit
    expected = coefficient(kappa * COSINE, mean, second)
    assert slope(contrast) == pytest.approx(-1, abs=0.15)
    np.testing.assert_allclose(SIZES * contrast, expected, rtol=0.15)
    np.testing.assert_allclose(SIZES * (contrast - two_terms), expected, rtol=0.2)
    assert abs(two_terms[-1]) < 0.002


def kernel(a, b, t):
    """exp(−t ‖a_i − b_j‖²), every image with every image, itself included."""
    return (-t * torch.cdist(a, b).square()).exp()


def unrelated(images, width, seed):
    generator = torch.Generator().manual_seed(seed)
    return (
        functional.normalize(torch.randn(images, width, generator=generator, dtype=torch.float64)) for _ in range(2)
    )


@pytest.mark.parametrize("temperature", [0.07, 0.25, 1.0])
def test_at_any_size_info_nce_is_alignment_plus_the_mean_log_of_a_gaussian_kernel(temperature):
    """Exact: with t = 1 / 2τ and weight t of the alignment no constant is left over."""
    student, teacher = unrelated(12, 4, 0)
    t = 1 / (2 * temperature)
    cross = kernel(student, teacher, t)
    spread = (cross.mean(1).log().mean() + cross.mean(0).log().mean()) / 2
    expected = t * alignment(student, teacher) + spread
    assert info_nce(student, teacher, temperature) == pytest.approx(expected.item(), rel=1e-9)


def bound(student, teacher, temperature):
    """t · alignment + ½ [V(s) + V(t)], V the uniformity with each image's zero distance to itself counted."""
    t, images = 1 / (2 * temperature), len(student)
    within = [((1 + (images - 1) * uniformity(x, t).exp()) / images).log() for x in (student, teacher)]
    return (t * alignment(student, teacher) + sum(within) / 2).item()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("temperature", [0.07, 0.25, 1.0])
def test_alignment_and_uniformity_bound_info_nce_from_above(temperature, seed):
    student, teacher = unrelated(12, 4, seed)
    assert info_nce(student, teacher, temperature) < bound(student, teacher, temperature)


@pytest.mark.parametrize("temperature", [0.07, 0.25, 1.0])
def test_the_bound_is_reached_by_an_aligned_student_of_a_simplex(temperature):
    centred = torch.eye(6, dtype=torch.float64) - 1 / 6
    corners = functional.normalize(centred)
    assert info_nce(corners, corners, temperature) == pytest.approx(bound(corners, corners, temperature), rel=1e-9)
