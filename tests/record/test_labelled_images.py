"""One arithmetic of labelled images: what is said of them is what the program does with them."""

import math

import pytest

from azeotrope.data.division.split import split_task
from azeotrope.record.labelled_images import Division, divided, owned_for, validation_images
from data.made import manifest


@pytest.mark.parametrize(
    ("owned", "classes", "division"),
    [
        (2000, 10, Division(1280, 320, 400)),  # 0.8 x 0.8, 0.8 x 0.2 and 0.2
        (2000, 1, Division(1280, 320, 400)),
        (30, 10, Division(10, 10, 10)),  # one of each class at least
    ],
)
def test_a_fifth_tests_and_a_fifth_of_the_rest_validates(owned, classes, division):
    assert divided(owned, classes) == division
    assert division.owned == owned


@pytest.mark.parametrize(("owned", "classes"), [(2000, 10), (300, 3), (120, 4), (40, 8), (30, 10)])
def test_it_is_what_the_program_does_with_images_without_splits(owned, classes):
    rows = [(f"{place}", place % classes, "") for place in range(owned)]
    splits, said = split_task(manifest(rows, classes=map(str, range(classes)))), divided(owned, classes)
    assert (len(splits.train), len(splits.test)) == (said.train, said.test)
    assert validation_images(said.train, classes, len(splits.val)) == said.validate
    assert said.owned == owned


@pytest.mark.parametrize("train", [1, 60, 250, 1280, 10_000])
@pytest.mark.parametrize("classes", [1, 10, 100])
def test_the_fewest_images_to_own_leave_so_many_to_train(train, classes):
    owned = int(owned_for(train, classes))
    assert divided(owned, classes).train >= train
    assert divided(owned - 1, classes).train < train


def test_what_is_never_reached_is_never_owned():
    assert owned_for(math.inf, 10) == math.inf
