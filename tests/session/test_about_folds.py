"""What is said of folds before training: to whom, and with which numbers."""

from types import SimpleNamespace

import numpy as np
import pytest

from azeotrope.data.split import Fold, TaskSplits
from azeotrope.kinds.single import KIND
from azeotrope.session.about_folds import about_folds, fold_hint


def task(train, val, test, *, given=(), fold=None, held_out=None, rare=None, units=None):
    """A task with so many images in each split; `given` are the splits that its source names. Of two classes one has
    every second image, or `rare` of them.
    """
    every = np.arange(train + val + test)
    splits = TaskSplits(*np.split(every, [train, train + val]), fold=fold, held_out=held_out, units=units)
    labels = every % 2 if rare is None else (every < rare).astype(int)
    manifest = SimpleNamespace(splits=given)
    return SimpleNamespace(
        splits=splits, manifest=manifest, labels=labels, kind=KIND, classes=("a", "b"), units=splits.units
    )


def test_a_small_set_is_told_how_many_images_decide_with_folds_and_without():
    """Of 300 images 60 decide; sqrt(60 / 300) · 1.07 · 2.306 / 1.960 = 56 %: folds have 8 degrees of freedom."""
    (said,) = fold_hint(task(192, 48, 60))
    assert said == (
        "Only 60 of 300 labelled images are test images and decide. With compare --folds 5 each of 300 is a test image "
        "once: 5 times as many trainings, and what chance in the choice of test images adds to an interval falls to "
        "about 56 %."
    )


def test_images_that_validate_by_the_source_are_never_test_images():
    (said,) = fold_hint(task(192, 48, 60, given=("", "val")))
    assert "each of 252 is a test image" in said


@pytest.mark.parametrize(
    "one", [task(320, 80, 100), task(192, 48, 60, given=("train", "test")), task(192, 48, 60, held_out=0.3)]
)
def test_large_sets_and_sets_with_a_test_split_are_told_nothing(one):
    assert list(fold_hint(one)) == []


def test_no_more_folds_are_proposed_than_a_class_has_images_and_none_where_it_has_two():
    (said,) = fold_hint(task(192, 48, 60, rare=4))
    assert "--folds 4" in said
    assert "4 times as many trainings" in said
    (said,) = fold_hint(task(192, 48, 60, units=np.arange(300) % 8 // 2))
    assert "--folds 4" in said
    assert list(fold_hint(task(192, 48, 60, rare=2))) == []


def test_folds_are_described_with_their_sizes():
    cut = (task(192, 48, 60, fold=Fold(1, 2)), task(190, 49, 61, fold=Fold(2, 2)))
    assert about_folds(SimpleNamespace(tasks=cut)) == (
        "121 labelled images in 2 folds: each is a test image once. A fold tests 60 to 61, and leaves 190 to 192 to "
        "train on and 48 to 49 to validate on.",
    )
