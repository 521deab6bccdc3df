"""What is said of folds before training: to whom, and with which numbers."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.division.split import Fold, TaskSplits
from azeotrope.kinds.single import KIND
from azeotrope.labels import LabelSpec
from azeotrope.recipe import Recipe
from azeotrope.reporting.summary import summarise
from azeotrope.session.findings.about_folds import about_folds, fold_hint
from azeotrope.session.findings.cautions import cautions, unequal_classes
from azeotrope.session.progress import Silent
from azeotrope.session.reading import read_folds
from reporting.factories import three_seeds


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
    """Of 300 images 60 decide; sqrt(60 / 300) · 1.13 · 2.306 / 1.960 = 59 %: folds have 8 degrees of freedom."""
    (said,) = fold_hint(task(192, 48, 60))
    assert said == (
        "Only 60 of 300 labelled images are test images and decide. With compare --folds 5 each of 300 is a test image "
        "once: 5 times as many trainings, and what chance in the choice of test images adds to an interval falls to "
        "about 59 %."
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


class Notes(Silent):
    def __init__(self):
        self.said = []

    def note(self, what):
        self.said.append(what)


def of_patients(folder):
    """A table of 7 patients with 4 to 10 pictures each, of two classes, and one copy of a picture."""
    random, rows = np.random.default_rng(0), ["path,label,patient"]
    for patient in range(7):
        for place in range(4 + patient):
            name = f"{patient}-{place}.png"
            Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / name)
            rows.append(f"{name},{'ab'[place % 2]},{patient}")
    (folder / "copy.png").write_bytes((folder / "0-0.png").read_bytes())
    (folder / "set.csv").write_text("\n".join([*rows, "copy.png,a,0"]))
    return folder / "set.csv"


def test_what_all_folds_share_is_said_once_and_what_differs_of_each(tmp_path):
    notes = Notes()
    tasks = read_folds(of_patients(tmp_path), 3, notes, LabelSpec(group="patient"))
    assert notes.said[0] == "1 copies of other images were left out, so that none is in two splits."
    for number, (one, said) in enumerate(zip(tasks, notes.said[1:], strict=True), start=1):
        splits = one.splits
        counts = [(len(set(one.units[rows])), len(rows)) for rows in (splits.train, splits.val, splits.test)]
        (train, images), (val, validating), (test, tested) = counts
        assert said.startswith(
            f"Fold {number} of 3: Images of one group stay together: of 7 groups {train} train ({images} images), "
            f"{val} validate ({validating} images), {test} test ({tested} images)."
        )
    told = cautions(tasks, summarise(three_seeds("scratch", [200] * 3, train_images=20)), tmp_path)
    assert list(told[:4]) == notes.said


def test_each_folds_own_range_is_said(tmp_path):
    """Each fold measures the range on its training images."""
    random, notes = np.random.default_rng(0), Notes()
    for place in range(18):
        into = tmp_path / "ab"[place % 2]
        into.mkdir(exist_ok=True)
        values = random.integers(1_000 + 50 * place, 30_000 + 900 * place, (8, 8)).astype(np.uint16)
        Image.fromarray(values).save(into / f"{place}.png")
    tasks = read_folds(tmp_path, 3, notes, LabelSpec(value_range="percentile"))
    ranges = [one.manifest.value_range for one in tasks]
    assert len(set(ranges)) == 3
    own = [said for said in notes.said if said.startswith("Fold")]
    assert [said[:13] for said in own] == ["Fold 1 of 3: ", "Fold 2 of 3: ", "Fold 3 of 3: "]
    for (low, high), said in zip(ranges, own, strict=True):
        assert f": {low:g} is black and {high:g} is white" in said


def test_an_export_is_told_of_its_own_fold(tmp_path):
    notes = Notes()
    tasks = read_folds(of_patients(tmp_path), 3, notes, LabelSpec(group="patient"), told=2)
    assert tuple(notes.said) == tasks[1].words


def test_the_fold_whose_classes_are_least_alike_is_named():
    """4 to 1 in the first fold, 7 to 1 in the second."""
    cut = [task(40, 8, 12, fold=Fold(1, 2), rare=8), task(40, 8, 12, fold=Fold(2, 2), rare=5)]
    (said,) = unequal_classes(cut, Recipe.for_images(40))
    assert said.startswith("The training split of fold 2 of 2 holds 35 images of 'a' and 5 of 'b', more than 5 to 1.")
