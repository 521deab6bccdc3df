"""Folds: each image is a test image once, groups stay whole, and what cannot be cut is refused."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.model_selection import StratifiedKFold

from azeotrope.data.division.folds import _table, assigned, fold_splits
from azeotrope.data.task import load_folds, load_task
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec

from .made import manifest


def rows(counts, split=""):
    return [((label, place), label, split) for label, count in enumerate(counts) for place in range(count)]


def grouped(groups, classes):
    """A manifest of (group, label, images) each."""
    made = manifest([((name, place), label, "") for name, label, count in groups for place in range(count)], classes)
    object.__setattr__(made, "groups", tuple(name for name, _, count in groups for _ in range(count)))
    return made


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(5, 40), min_size=2, max_size=6), st.integers(2, 5))
def test_each_image_is_tested_once_and_folds_are_as_even_as_scikit_learns(counts, folds):
    """Class counts within 1, as `StratifiedKFold` has them; sizes no further apart than its own."""
    made = manifest(rows(counts), [str(label) for label in range(len(counts))])
    cut = fold_splits(made, folds)
    tested = np.concatenate([splits.test for splits in cut])
    assert sorted(tested.tolist()) == list(range(sum(counts)))
    for label in range(len(counts)):
        shown = [int((made.labels[splits.test] == label).sum()) for splits in cut]
        assert max(shown) - min(shown) <= 1
    theirs = [len(test) for _, test in StratifiedKFold(folds).split(made.labels, made.labels)]
    ours = [len(splits.test) for splits in cut]
    assert max(ours) - min(ours) <= max(1, max(theirs) - min(theirs))


def test_many_classes_take_no_room_of_images_times_classes():
    """4,000 images of 2,000 classes: a table of them would take 64 MB."""
    labels = np.repeat(np.arange(2_000), 2)
    few = SimpleNamespace(kind="single", labels=labels, checksums=[f"{place:064x}" for place in range(4_000)])
    tracemalloc.start()
    number = assigned(few, np.arange(4_000), np.arange(4_000), 2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8e6
    assert all(np.bincount(labels[number == fold]).max() == 1 for fold in range(2))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_strata_of_units_are_counted_as_in_a_whole_table(shown):
    """Of several labels an image, too; units and strata that show nothing among them."""
    units, kinds = np.array(shown).T
    whole = np.zeros((6, 4))
    np.add.at(whole, (units, kinds), 1)
    number = np.append(units, 5)  # the last image shows nothing
    table = _table(number, (np.arange(len(units)), kinds))
    for unit in range(6):
        here = slice(table.starts[unit], table.starts[unit + 1])
        assert table.strata[here].tolist() == np.flatnonzero(whole[unit]).tolist()
        assert table.images[here].tolist() == whole[unit][whole[unit] > 0].tolist()
    of_all = np.maximum(whole.sum(axis=0), 1)
    dense = np.where(whole > 0, of_all, np.inf)
    counts, kind = table.rarest(of_all)
    assert counts.tolist() == dense.min(axis=1).tolist()
    assert kind.tolist() == dense.argmin(axis=1).tolist()


def test_what_a_fold_leaves_trains_and_validates_and_every_class_is_in_each_part():
    made = manifest(rows([30, 50]))
    for splits in fold_splits(made, 5):
        parts = [set(part.tolist()) for part in (splits.train, splits.val, splits.test)]
        assert set.union(*parts) == set(range(80))
        assert sum(map(len, parts)) == 80
        assert [len(part) for part in parts] == [51, 13, 16]
        assert all(len(np.unique(made.labels[sorted(part)])) == 2 for part in parts)


def test_which_images_validate_is_drawn_for_each_fold_anew():
    """By one draw a fifth of all images would validate in four folds of five, and train in none."""
    made = manifest(rows([50, 50]))
    validated = np.bincount(np.concatenate([splits.val for splits in fold_splits(made, 5)]), minlength=100)
    assert validated.max() < 4
    assert (validated == 0).sum() == pytest.approx(100 * 0.8**4, abs=12)


def test_a_range_measured_on_training_images_leaves_the_set_of_all_folds_one(tmp_path):
    """Each fold measures its own range, so its pixels and its task differ; what its runs are pooled by does not."""
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(9):
            pixels = rng.integers(0, 2000 * (number + 1), (24, 24)).astype(np.uint16)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    folds = load_folds(str(tmp_path), 3, labels=LabelSpec(value_range="percentile"))
    assert len({task.manifest.value_range for task in folds}) > 1
    assert len({task.fingerprint for task in folds}) == 3
    assert len({task.set_fingerprint for task in folds}) == 1
    plain = load_folds(str(tmp_path), 3, labels=LabelSpec(value_range=(0, 2000)))
    assert plain[0].set_fingerprint != folds[0].set_fingerprint


def test_the_cut_is_decided_by_content_not_by_the_listing():
    listed = rows([20, 20])
    shuffled = [listed[place] for place in np.random.default_rng(0).permutation(40)]

    def contents(made):
        return [{made.checksums[row] for row in splits.test} for splits in fold_splits(made, 4)]

    assert contents(manifest(listed)) == contents(manifest(shuffled))


def test_groups_and_near_copies_stay_in_one_fold():
    made = grouped([(f"{label}{place}", label, 3) for label in (0, 1) for place in range(10)], ("a", "b"))
    for splits in fold_splits(made, 5):
        inside = {made.groups[row] for row in splits.test}
        assert not inside & {made.groups[row] for row in np.concatenate([splits.train, splits.val])}
        assert len(splits.test) == 12
    plain = manifest(rows([20, 20]))
    pairs = np.array([[0, 1], [1, 2], [20, 25]])
    where = np.empty(40, int)
    for number, splits in enumerate(fold_splits(plain, 4, pairs)):
        assert splits.together == 5
        where[splits.test] = number
    assert where[0] == where[1] == where[2]
    assert where[20] == where[25]


def test_a_given_validation_split_validates_in_every_fold_and_is_never_tested():
    made = manifest([*rows([20, 20]), *(((9, place), place % 2, "val") for place in range(6))])
    cut = fold_splits(made, 4)
    assert all(splits.val.tolist() == list(range(40, 46)) for splits in cut)
    assert sorted(np.concatenate([splits.test for splits in cut]).tolist()) == list(range(40))


def test_a_fold_is_a_task_of_its_own_and_all_folds_one_set():
    whole, cut = load_task("digits"), load_folds("digits", 3)
    assert len({task.fingerprint for task in (*cut, whole)}) == 4
    assert len({task.set_fingerprint for task in cut}) == 1
    assert cut[0].set_fingerprint not in {load_folds("digits", 4)[0].set_fingerprint, whole.fingerprint}
    assert whole.set_fingerprint == whole.fingerprint


def test_one_fold_is_refused():
    with pytest.raises(InputError, match=r"take turns as the test set.*--folds 1.*2 or more"):
        fold_splits(manifest(rows([20, 20])), 1)


def test_more_folds_than_a_class_has_images_are_refused():
    with pytest.raises(InputError, match=r"as many images as there are folds.*--folds 5; 'b' in 4 .*2 to 4 folds here"):
        fold_splits(manifest(rows([20, 4])), 5)


def test_more_folds_than_a_class_has_groups_are_refused():
    made = grouped([("p", 0, 9), ("q", 0, 9), ("r", 0, 9), *((f"s{n}", 1, 5) for n in range(6))], ("a", "b"))
    with pytest.raises(InputError, match=r"as many groups as there are folds.*--folds 5; 'a' in 3.*2 to 3 folds here"):
        fold_splits(made, 5)


def test_near_copies_count_as_one_image_where_others_suffice_and_are_parted_where_they_do_not():
    made = manifest(rows([20, 6]))
    chain = np.array([[20, 21], [21, 22], [22, 23]])
    assert all(splits.together is None for splits in fold_splits(made, 5, chain))


def test_a_given_test_split_is_refused():
    made = manifest([*rows([20, 20]), ((8, 8), 0, "test"), ((8, 9), 1, "test")])
    with pytest.raises(InputError, match=r"comes with a test split, which decides.*2 test images given.*leave --folds"):
        fold_splits(made, 5)


def test_groups_that_leave_a_fold_without_a_class_are_refused():
    """Worked by hand: 30 of a go to the first fold, and each group that shows b is where a is fewer."""
    groups = [("A", (30, 0)), ("B", (12, 6)), ("C", (8, 1)), ("D", (7, 1))]
    listed = [(name, label, place) for name, counts in groups for label in (0, 1) for place in range(counts[label])]
    made = manifest([(image, image[1], "") for image in listed])
    object.__setattr__(made, "groups", tuple(name for name, _, _ in listed))
    with pytest.raises(InputError, match=r"Every fold must show every class.*fold 1 has no 'b'.*take fewer folds"):
        fold_splits(made, 2)
