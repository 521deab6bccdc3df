"""What `--metric` judges by, against scikit-learn; and what it refuses."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, top_k_accuracy_score

from azeotrope.errors import InputError
from azeotrope.exporting.drop import drop
from azeotrope.kinds._kind import UNSCALED, kind_named
from azeotrope.kinds._measures import judged_by, require_metric
from azeotrope.kinds.single import KIND as SINGLE
from azeotrope.recipe import Recipe


@pytest.fixture
def answered():
    """Outputs of 8 unequal classes and the classes."""
    torch.manual_seed(0)
    targets = torch.multinomial(torch.tensor([0.5, 0.2, 0.1, 0.06, 0.05, 0.04, 0.03, 0.02]), 400, replacement=True)
    return torch.randn(400, 8) + 1.5 * torch.nn.functional.one_hot(targets, 8), targets


def test_balanced_error_is_one_less_scikit_learns_balanced_accuracy(answered):
    outputs, targets = answered
    judge = judged_by(SINGLE, "balanced_error")
    expected = 1 - balanced_accuracy_score(targets.numpy(), outputs.argmax(1).numpy())
    assert judge.error(outputs, targets) == pytest.approx(expected)
    assert judge.metrics(outputs, targets, UNSCALED)["image_error"] == pytest.approx(SINGLE.error(outputs, targets))
    assert not judge.over_images


def test_top_5_error_is_one_less_scikit_learns_and_the_mean_of_its_bits(answered):
    outputs, targets = answered
    judge = judged_by(SINGLE, "top5_error")
    expected = 1 - top_k_accuracy_score(targets.numpy(), outputs.numpy(), k=5)
    assert judge.error(outputs, targets) == pytest.approx(expected)
    assert 1 - judge.right(outputs, targets.numpy(), UNSCALED).mean() == pytest.approx(expected)


def test_what_is_learnt_stays_that_of_the_kind(answered):
    outputs, targets = answered
    for metric in ("error", "balanced_error", "top5_error"):
        assert judged_by(SINGLE, metric).loss(outputs, targets) == SINGLE.loss(outputs, targets)
        assert judged_by(SINGLE, metric).name == "single"


def test_a_file_that_loses_a_rare_class_loses_much_by_the_balanced_error():
    labels = np.array([0] * 98 + [1] * 2)
    network = torch.eye(2)[labels]
    file = torch.eye(2)[np.zeros(100, dtype=int)]
    assert drop(SINGLE, network, file, labels).value == pytest.approx(0.02, abs=0.01)
    assert drop(judged_by(SINGLE, "balanced_error"), network, file, labels).value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("kind", "classes", "metric", "words"),
    [
        ("multi", 9, "balanced_error", "found.*kind multi"),
        ("number", 1, "top5_error", "found.*kind number"),
        ("single", 5, "top5_error", "needs more than 5 classes.*five answers name all of them"),
    ],
)
def test_what_cannot_be_judged_so_is_refused(kind, classes, metric, words):
    with pytest.raises(InputError, match=f"(?i){words}"):
        require_metric(kind_named(kind), classes, metric)
    require_metric(kind_named(kind), classes, "error")


def test_an_unknown_measure_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match="is error, balanced_error, top5_error or file:"):
        Recipe.for_images(100, metric="accuracy")


def test_runs_by_the_plain_error_keep_their_ids():
    assert "metric" not in Recipe.for_images(100).model_dump(mode="json")
    assert Recipe.for_images(100).digest() != Recipe.for_images(100, metric="balanced_error").digest()
