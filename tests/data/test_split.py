import numpy as np
import pytest

from azeotrope.data.division.split import split_task
from azeotrope.errors import InputError

from .made import manifest


def rows(count, split="", start=0, classes=2):
    return [(f"{start + place}", place % classes, split) for place in range(count)]


def parts(splits):
    return [set(part.tolist()) for part in (splits.train, splits.val, splits.test)]


def test_without_splits_a_fifth_is_test_and_a_fifth_of_the_rest_validation():
    made = manifest(rows(200))
    splits = split_task(made)
    train, val, test = parts(splits)
    assert (len(train), len(val), len(test)) == (128, 32, 40)
    assert train | val | test == set(range(200))
    for part, each in ((splits.train, 64), (splits.val, 16), (splits.test, 20)):
        np.testing.assert_array_equal(np.bincount(made.labels[part]), [each, each])


def test_a_given_test_split_is_kept_whole_even_its_copies():
    made = manifest([*rows(50, "train"), ("same", 0, "test"), ("same", 0, "test"), ("other", 1, "test")])
    splits = split_task(made)
    assert splits.test.tolist() == [50, 51, 52]
    assert splits.dropped == 0


def test_a_given_validation_split_is_used():
    made = manifest([*rows(50, "train"), *rows(10, "val", 100), *rows(10, "test", 200)])
    splits = split_task(made)
    assert (splits.train.tolist(), splits.val.tolist()) == (list(range(50)), list(range(50, 60)))


def test_a_training_image_that_is_also_in_test_leaves_training():
    made = manifest([*rows(20, "train"), ("0", 0, "test"), ("t", 1, "test")])
    splits = split_task(made)
    assert 0 not in parts(splits)[0] | parts(splits)[1]
    assert (20 in splits.test, splits.dropped) == (True, 1)


def test_a_copy_in_validation_stays_rather_than_the_one_in_training():
    made = manifest([*rows(20, "train"), ("0", 0, "val"), ("v", 1, "val"), ("t", 0, "test")])
    splits = split_task(made)
    assert splits.val.tolist() == [20, 21]
    assert 0 not in splits.train
    assert splits.dropped == 1


def test_copies_in_one_pool_count_once():
    made = manifest([*rows(40), *rows(40)])
    splits = split_task(made)
    assert splits.dropped == 40
    assert sum(map(len, parts(splits))) == 40


def test_unreadable_rows_are_in_no_split():
    splits = split_task(manifest(rows(40), unreadable=(3, 7)))
    assert not {3, 7} & set.union(*parts(splits))
    assert splits.unreadable == 2


def test_the_order_of_listing_does_not_matter():
    listed = rows(100)
    shuffled = np.random.default_rng(0).permutation(100)
    first, second = manifest(listed), manifest([listed[row] for row in shuffled])
    for name in ("train", "val", "test"):
        one = {first.checksums[row] for row in getattr(split_task(first), name)}
        assert one == {second.checksums[row] for row in getattr(split_task(second), name)}


def test_three_images_a_class_are_enough():
    splits = split_task(manifest(rows(6)))
    assert [len(part) for part in parts(splits)] == [2, 2, 2]


def message(made):
    with pytest.raises(InputError) as caught:
        split_task(made)
    return str(caught.value)


def test_one_class_is_refused():
    assert message(manifest([("x", 0, "")] * 5, classes=("cat",))) == (
        "A task needs at least two classes. Found: 1 in made: 'cat'. Allowed: 2 or more. "
        "Next: add images of what this class is to be told apart from."
    )


def test_a_class_with_too_few_images_is_refused():
    made = manifest([*rows(20), ("c1", 2, ""), ("c2", 2, "")], classes=("a", "b", "rare"))
    assert message(made) == (
        "A class has fewer images than the splits need. "
        "Found: 'rare' has 2 (readable, each counted once, outside the splits that were given). "
        "Allowed: at least 3 a class: 1 each for train, val, test. "
        "Next: add images to these classes or leave the classes out."
    )


def test_a_class_that_is_only_in_test_is_refused():
    made = manifest([*rows(20, "train"), ("t", 2, "test")], classes=("a", "b", "new"))
    assert "'new' has 0" in message(made)
    assert "at least 2 a class: 1 each for train, val." in message(made)


def test_nothing_readable_is_refused_with_reasons():
    text = message(manifest(rows(4), unreadable=(0, 1, 2, 3)))
    assert text.startswith("No image of made can be read. Found: 0.png: damaged; 1.png: damaged; 2.png: damaged.")
    assert text.endswith(
        "Next: repair these files, or correct their paths; `azeotrope check` counts the reasons by class."
    )


def test_a_test_split_that_cannot_be_read_is_not_replaced_in_silence():
    made = manifest([*rows(20, "train"), ("t", 0, "test"), ("u", 1, "test")], unreadable=(20, 21))
    assert message(made) == (
        "No image of the test split of made can be read. Found: 2 files; 20.png: damaged. "
        "Next: repair these files, or remove the test split: one is then made from the other images."
    )


def test_no_images_are_refused():
    assert "Found: no images at all" in message(manifest([]))


def test_a_share_to_hold_out_is_taken_of_what_the_source_does_not_give():
    made = manifest([*rows(200, "train"), *rows(40, "test", 1000)])
    splits = split_task(made, 0.05)
    assert [len(part) for part in parts(splits)] == [190, 10, 40]
    assert parts(splits)[1] < parts(split_task(made))[1]  # the hash decides: a smaller share is a part of a larger one
    both = split_task(manifest(rows(200)), 0.1)
    assert [len(part) for part in parts(both)] == [162, 18, 20]


@pytest.mark.parametrize("share", [0.0, -0.1, 0.6, 1.0])
def test_a_share_that_leaves_too_little_is_refused(share):
    with pytest.raises(InputError) as caught:
        split_task(manifest(rows(200)), share)
    assert str(caught.value) == (
        f"The share of images that is held out is above 0 and at most a half. Found: {share:g}. "
        "Allowed: such as 0.2, which is taken where none is given. Next: give another --held-out."
    )


def test_a_share_of_nothing_is_refused():
    made = manifest([*rows(50, "train"), *rows(10, "val", 100), *rows(10, "test", 200)])
    with pytest.raises(InputError) as caught:
        split_task(made, 0.1)
    assert str(caught.value) == (
        "Nothing is held out of made: it comes with validation and test images. "
        "Found: a share of 0.1 to hold out. Next: leave --held-out out."
    )
