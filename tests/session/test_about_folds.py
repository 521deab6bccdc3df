"""What is said of folds before training: to whom, and with which numbers."""

from types import SimpleNamespace

import numpy as np
import pytest

from azeotrope.data.split import Fold, TaskSplits
from azeotrope.session.about_folds import about_folds, fold_hint


def task(train, val, test, *, given=(), fold=None):
    """A task with so many images in each split; `given` are the splits that its source names."""
    rows = np.split(np.arange(train + val + test), [train, train + val])
    splits = TaskSplits(*rows, fold=fold)
    return SimpleNamespace(splits=splits, manifest=SimpleNamespace(splits=given))


def test_a_small_set_is_told_how_many_images_decide_with_folds_and_without():
    """Of 300 images 60 decide; sqrt(60 / 300) = 45 %."""
    (said,) = fold_hint(task(192, 48, 60))
    assert said == (
        "Only 60 of 300 labelled images are test images and decide. With compare --folds 5 each of 300 is a test image "
        "once: 5 times as many trainings, and what chance in the choice of test images adds to an interval falls to "
        "about 45 %."
    )


def test_images_that_validate_by_the_source_are_never_test_images():
    (said,) = fold_hint(task(192, 48, 60, given=("", "val")))
    assert "each of 252 is a test image" in said


@pytest.mark.parametrize("one", [task(320, 80, 100), task(192, 48, 60, given=("train", "test"))])
def test_large_sets_and_sets_with_a_test_split_are_told_nothing(one):
    assert list(fold_hint(one)) == []


def test_folds_are_described_with_their_sizes():
    cut = (task(192, 48, 60, fold=Fold(1, 2)), task(190, 49, 61, fold=Fold(2, 2)))
    assert about_folds(SimpleNamespace(tasks=cut)) == (
        "121 labelled images in 2 folds: each is a test image once. A fold tests 60 to 61, and leaves 190 to 192 to "
        "train on and 48 to 49 to validate on.",
    )
