import math

import numpy as np
import pytest

from azeotrope.errors import RunFailed
from azeotrope.teacher.gate import check, needed_accuracy


def test_chance_is_the_share_of_the_largest_class_with_three_standard_errors():
    """Of 100 images 40 are of one class: 0.4 + 3 sqrt(0.4 · 0.6 / 100)."""
    labels = np.repeat([0, 1, 2, 3], [40, 20, 20, 20])
    assert needed_accuracy(labels) == pytest.approx(0.4 + 3 * math.sqrt(0.0024))


def test_few_images_never_ask_for_more_than_perfection():
    assert needed_accuracy(np.array([0, 1])) == 1.0


def test_a_teacher_at_chance_is_refused_with_advice():
    labels = np.repeat(np.arange(4), 25)
    with pytest.raises(RunFailed) as refusal:
        check("timm:some_teacher", 0.30, labels)
    assert str(refusal.value) == (
        "The teacher timm:some_teacher is near chance on these images. Found: 30.0 % right on 100 validation images. "
        "Allowed: at least 38.0 % (chance and three standard errors). Next: take a teacher trained on similar images, "
        "a larger --teacher-size, or more labelled images."
    )


def test_a_guesser_passes_rarely_and_a_knower_always():
    """Of 2,000 guessing heads one in 740 would pass by three standard errors."""
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(4), 100)
    passed = sum((rng.integers(0, 4, 400) == labels).mean() >= needed_accuracy(labels) for _ in range(2000))
    assert passed <= 10
    check("teacher", 0.4, labels)


def test_always_naming_the_largest_class_does_not_pass():
    labels = np.repeat([0, 1], [90, 10])
    with pytest.raises(RunFailed, match="near chance"):
        check("teacher", 0.9, labels)
