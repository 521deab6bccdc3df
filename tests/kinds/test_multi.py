"""Several labels an image: against scikit-learn, closed forms in double precision, and the single label."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, hamming_loss
from torch.nn import functional

from azeotrope.data.division.split import split_task
from azeotrope.errors import InputError
from azeotrope.kinds._kind import UNSCALED
from azeotrope.kinds.multi import KIND as MULTI
from azeotrope.kinds.single import KIND as SINGLE
from data.made import manifest

NAMES = ("a", "b", "c")


def problem(images=200, features=6, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(images, features))
    shows = rows @ np.random.default_rng(9).normal(size=(features, 3)) + rng.normal(size=(images, 3)) > [0, 1, 2]
    scale = np.geomspace(0.1, 30, features)
    return torch.tensor(rows * scale, dtype=torch.float32), MULTI.targets(shows, UNSCALED)


def some(images, seed=0):
    return np.random.default_rng(seed).random((images, 3)) < [0.5, 0.2, 0.04]


def test_the_error_is_one_less_the_map_and_wrong_labels_are_counted():
    rng, targets = np.random.default_rng(1), MULTI.targets(some(100), UNSCALED)
    outputs = torch.tensor(rng.normal(size=(100, 3)), dtype=torch.float32) + targets
    expected = average_precision_score(targets, outputs)
    assert MULTI.error(outputs, targets) == pytest.approx(1 - expected)
    metrics = MULTI.metrics(outputs, targets, UNSCALED)
    assert metrics["map"] == pytest.approx(expected)
    assert metrics["label_error"] == pytest.approx(hamming_loss(targets.numpy() > 0, outputs.numpy() > 0))
    assert MULTI.correct(MULTI.said(outputs, UNSCALED), targets.numpy() > 0) is None


def test_the_loss_is_minus_the_log_likelihood_of_an_images_labels():
    rng = np.random.default_rng(2)
    outputs, shows = rng.normal(size=(7, 3)) * 4, some(7)
    p = 1 / (1 + np.exp(-outputs))
    expected = -np.log(np.where(shows, p, 1 - p)).sum(1).mean()
    assert MULTI.loss(torch.tensor(outputs), torch.tensor(shows).double()).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_divergence_is_that_of_bernoullis(temperature):
    rng = np.random.default_rng(3)
    student, teacher = rng.normal(size=(2, 8, 3)) * 5
    q, p = (1 / (1 + np.exp(-logits / temperature)) for logits in (student, teacher))
    expected = temperature**2 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).sum(1).mean()
    value = MULTI.divergence(torch.tensor(student), torch.tensor(teacher), temperature).item()
    assert value == pytest.approx(expected, rel=1e-10)
    assert MULTI.divergence(torch.tensor(student), torch.tensor(student), temperature).item() == 0


def test_with_one_class_the_divergence_is_that_of_two_single_ones():
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 16, 1, generator=generator, dtype=torch.float64) * 6

    def two(logits):
        return functional.pad(logits, (0, 1))

    alone = MULTI.divergence(student, teacher, 4.0)
    torch.testing.assert_close(alone, SINGLE.divergence(two(student), two(teacher), 4.0), rtol=1e-12, atol=0)


def test_sure_teachers_do_not_overflow():
    sure = torch.tensor([[200.0, -200.0, 0.0]])
    assert torch.isfinite(MULTI.divergence(-sure, sure, 1.0))
    assert torch.isfinite(MULTI.averaged([sure, -sure])).all()


def test_teachers_are_averaged_in_probability():
    one, two = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1)) * 3
    torch.testing.assert_close(MULTI.averaged([one, two]).sigmoid(), (one.sigmoid() + two.sigmoid()) / 2)


@pytest.mark.parametrize("seed", range(3))
def test_beginnings_are_nested_and_show_every_class_from_the_start(seed):
    shows = some(400, seed)
    order = MULTI.spread(shows, 400)
    assert sorted(order) == list(range(400))
    for count in (4, 20, 100, 399):
        np.testing.assert_array_equal(MULTI.spread(shows, count), order[:count])
    assert shows[order[:4]].any(axis=0).all()
    np.testing.assert_allclose(shows[order[:100]].mean(0), shows.mean(0), atol=0.03)


def test_what_is_held_out_is_alike_to_the_rest():
    shows = some(500)
    held = MULTI.held_out(shows, 0.2)
    assert len(held) == 100
    np.testing.assert_allclose(shows[held].mean(0), shows.mean(0), atol=0.02)


def test_of_few_images_as_many_are_held_out_as_show_every_class():
    """5 classes of 4 images each: 20 % are 4 images, which cannot show 5 classes."""
    shows = np.repeat(np.eye(5, dtype=bool), 4, axis=0)
    assert len(MULTI.held_out(shows, 0.2)) == 5
    made = manifest([(str(row), 0, "") for row in range(20)], classes="abcde")
    splits = split_task(replace(made, labels=shows, kind="multi"))
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [10, 5, 5]
    for rows in (splits.train, splits.val, splits.test):
        assert shows[rows].any(axis=0).all()


def test_no_more_are_held_out_where_their_share_shows_every_class_already():
    """10 classes that always come together: 2 of 12 images are one that shows them and one that shows none."""
    together = np.repeat([[True] * 10, [False] * 10], 6, axis=0)
    assert len(MULTI.held_out(together, 0.2)) == 2


def test_a_class_that_is_never_or_always_shown_is_refused():
    never = np.array([[True, False, True]] * 10 + [[False, False, False]] * 10)
    with pytest.raises(InputError) as refusal:
        MULTI.require(never, NAMES, ("val", "test"))
    assert str(refusal.value) == (
        "Every class needs images of which it is told that one shows it, for train, val, test. Found: 'b': 0. "
        "Allowed: at least 3 a class (readable, each image counted once). Next: add such images or leave these classes "
        "out."
    )
    with pytest.raises(InputError, match=r"one does not show it, in the split test. Found: 'a': 0, 'c': 0"):
        MULTI.require_split(np.array([[True, False, True], [True, True, True]]), NAMES, "test")
