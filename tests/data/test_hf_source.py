from datetime import date

import numpy as np
import pytest
from PIL import Image as Picture

from azeotrope.data.auditing.told import passed_words
from azeotrope.data.decoding.decode import decode
from azeotrope.data.task import load_task, open_source
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec

from .pictures import noise, write_class_folders

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def made(labels, start=0, names=("cat", "dog"), **more):
    pictures = [Picture.fromarray(noise(start + place)) for place in range(len(labels))]
    features = {"picture": datasets.Image(), "label": datasets.ClassLabel(names=list(names))}
    features |= {column: datasets.ClassLabel(names=["x", "y"]) for column in more}
    return datasets.Dataset.from_dict({"picture": pictures, "label": labels, **more}, datasets.Features(features))


def saved(content, folder):
    content.save_to_disk(str(folder))
    return f"hf:{folder}"


def message(spec):
    with pytest.raises(InputError) as caught:
        open_source(spec)
    return str(caught.value)


def test_a_saved_set_with_splits(tmp_path):
    parts = {"train": made([0, 1, 0, 1]), "validation": made([0, 1], 10), "test": made([1], 20), "extra": made([0], 30)}
    source = open_source(saved(datasets.DatasetDict(parts), tmp_path / "pets"))
    assert (source.name, source.classes) == ("hf:pets", ("cat", "dog"))
    assert [(item.split, item.label) for item in source.items] == [
        *[("train", 0), ("train", 1), ("train", 0), ("train", 1), ("val", 0), ("val", 1), ("test", 1)]
    ]
    for place, seed in ((0, 0), (3, 3), (4, 10), (6, 20)):
        np.testing.assert_array_equal(decode(source.read(place)).pixels, noise(seed))


def test_one_split_alone_is_split_here(tmp_path):
    task = load_task(saved(datasets.DatasetDict({"train": made([0, 1] * 10)}), tmp_path / "pets"))
    assert [len(part) for part in (task.splits.train, task.splits.val, task.splits.test)] == [12, 4, 4]


def test_a_set_without_splits(tmp_path):
    source = open_source(saved(made([0, 1]), tmp_path / "pets"))
    assert [item.split for item in source.items] == ["", ""]


def test_a_folder_of_images_as_the_library_reads_it(tmp_path):
    write_class_folders(tmp_path / "images" / "train", {"ant": 2, "bee": 2})
    source = open_source(f"hf:{tmp_path / 'images'}")
    assert source.classes == ("ant", "bee")
    assert source.read(0) == (tmp_path / "images" / "train" / "ant" / "0.png").read_bytes()


def test_the_column_of_labels_can_be_chosen(tmp_path):
    spec = saved(made([0, 1], other=[1, 1]), tmp_path / "pets")
    assert [item.label for item in open_source(spec).items] == [0, 1]
    assert [item.label for item in open_source(f"{spec}#other").items] == [1, 1]


def test_an_unknown_column_of_labels_is_refused(tmp_path):
    spec = saved(made([0, 1], other=[1, 1]), tmp_path / "pets")
    text = message(f"{spec}#third")
    assert "Found: picture: Image, label: ClassLabel, other: ClassLabel. Allowed: label, other." in text


def test_a_set_without_images_is_refused(tmp_path):
    spec = saved(datasets.Dataset.from_dict({"text": ["a", "b"]}), tmp_path / "words")
    assert message(spec) == (
        f"The image set {spec} needs one column of images (a feature of type Image). Found: text: Value. "
        "Allowed: none is there. "
        "Next: cast the column, for labels with class_encode_column, and write the set with save_to_disk."
    )


def test_secret_labels_are_refused(tmp_path):
    spec = saved(made([0, -1, None]), tmp_path / "pets")
    assert message(spec) == (
        f"Every image of {spec} needs a label. Found: 2 of 3 without one in the split that serves as all three. "
        "Next: remove these rows and write the set with save_to_disk."
    )


def test_secret_labels_of_a_test_split_name_the_way_out(pets):
    assert message(pets) == (
        f"Every image of {pets} needs a label. Found: 2 of 2 without one in the split that serves as test. "
        "Next: let another split serve as test, as in hf:NAME?test=validation, or remove these rows and write the set "
        "with save_to_disk."
    )


def test_splits_without_one_to_train_on_are_refused(tmp_path):
    spec = saved(datasets.DatasetDict({"fold_1": made([0, 1]), "fold_2": made([0, 1])}), tmp_path / "pets")
    assert "several splits but none to train on. Found: fold_1, fold_2." in message(spec)


def test_a_set_that_cannot_be_had_is_an_input_error(monkeypatch):
    def missing(path, config):
        raise FileNotFoundError(f"no {path} with {config}")

    monkeypatch.setattr(datasets, "load_dataset", missing)
    assert message("hf:nobody/nothing@small") == (
        "The image set hf:nobody/nothing cannot be had. Found: FileNotFoundError: no nobody/nothing with small. "
        "Allowed: a name on the hub, a folder written by save_to_disk, or a folder of images or Parquet files. "
        "Next: check the name, the network, and for a set with several configurations write hf:NAME@CONFIG."
    )


def of_type(feature, labels, column="shown"):
    """A set with one column of labels of that type."""
    pictures = [Picture.fromarray(noise(place)) for place in range(len(labels))]
    features = datasets.Features({"picture": datasets.Image(), column: feature, "size": datasets.Value("int32")})
    return datasets.Dataset.from_dict({"picture": pictures, column: labels, "size": list(range(len(labels)))}, features)


def test_a_list_of_classes_is_several_labels(tmp_path):
    several = datasets.Sequence(datasets.ClassLabel(names=["cat", "dog"]))
    spec = saved(of_type(several, [[0, 1], [], [1]]), tmp_path / "pets")
    source = open_source(spec, LabelSpec(kind="multi"))
    assert (source.kind, source.classes) == ("multi", ("cat", "dog"))
    assert [item.label for item in source.items] == [(0, 1), (), (1,)]
    with pytest.raises(InputError, match=r"are lists, so nothing separates them. Found: --separator '|'"):
        open_source(spec, LabelSpec(kind="multi", separator="|"))
    assert "needs one column of labels (a feature of type ClassLabel)" in message(spec)


def test_a_number_is_a_column_that_is_named_where_there_are_several(tmp_path):
    spec = saved(of_type(datasets.Value("float32"), [-1.0, 2.5, 3.0], "age"), tmp_path / "people")
    number = LabelSpec(kind="number", column="age", unit="years")
    source = open_source(spec, number)
    assert (source.kind, source.classes, source.unit) == ("number", ("age",), "years")
    assert [item.label for item in source.items] == [-1.0, 2.5, 3.0]
    assert open_source(f"{spec}#age", LabelSpec(kind="number")).classes == ("age",)
    with pytest.raises(
        InputError, match=r"needs one column of values .* Allowed: age, size. Next: write hf:NAME#COLUMN"
    ):
        open_source(spec, LabelSpec(kind="number"))


def test_a_number_that_is_none_is_refused(tmp_path):
    spec = saved(of_type(datasets.Value("float32"), [1.0, float("nan"), None], "age"), tmp_path / "people")
    with pytest.raises(InputError, match=r"needs a label. Found: 2 of 3 without one in the split that serves as all"):
        open_source(spec, LabelSpec(kind="number", column="age"))


def shown(source):
    return [(item.split, item.label) for item in source.items]


@pytest.fixture
def pets(tmp_path):
    """As many hubs have it: labels of the test split are secret, so the validation split serves as test."""
    parts = {"train": made([0, 1]), "validation": made([1, 1], 10), "test": made([-1, -1], 20), "extra": made([0], 30)}
    return saved(datasets.DatasetDict(parts), tmp_path / "pets")


def test_a_query_says_which_split_serves_as_test(pets):
    assert shown(open_source(f"{pets}?test=validation")) == [("train", 0), ("train", 1), ("test", 1), ("test", 1)]


def test_a_split_that_a_query_set_aside_is_no_loss(pets):
    """It is counted and neither told of nor refused by --strict, which reads these words."""
    passed = open_source(f"{pets}?test=validation").passed
    assert [(row.where, row.count) for row in passed] == [("split test", 2), ("split extra", 1)]
    assert list(passed_words(passed)) == []


def test_a_split_that_serves_as_nothing_unasked_is_told_as_a_split(tmp_path):
    parts = {"train": made([0, 1]), "test": made([0, 1], 10), "extra": made([0], 20)}
    source = open_source(saved(datasets.DatasetDict(parts), tmp_path / "pets"))
    assert list(passed_words(source.passed)) == [
        "Passed over: 1 images that serve as nothing (1 in split extra). "
        "Next: say which split serves as what, as in hf:NAME?train=SPLIT&test=SPLIT; others are then left out."
    ]


def test_a_query_may_name_any_split_and_stands_before_the_column(pets):
    found = shown(open_source(f"{pets}?train=extra&val=train&test=validation#label"))
    assert sorted(found) == [("test", 1), ("test", 1), ("train", 0), ("val", 0), ("val", 1)]


def test_a_query_that_names_no_split_of_the_set_is_refused(pets):
    place = pets.removeprefix("hf:")
    assert message(f"{pets}?test=valdation") == (
        f"A query names splits that hf:{place}?test=valdation has, each once. "
        "Found: test=valdation (nearest: validation). Allowed: train, validation, test, extra. "
        "Next: name one of these, or leave the query out."
    )
    assert "Found: train=train&test=train." in message(f"{pets}?train=train&test=train")


def test_a_query_that_takes_the_only_training_split_is_refused(pets):
    text = message(f"{pets}?test=train")
    assert "leaves no split to train on. Found: test=train. Allowed: train, validation, test, extra." in text


def test_an_option_that_is_none_is_refused(pets):
    text = message(f"{pets}?tests=validation")
    assert (
        "are given once each, as OPTION=VALUE. Found: 'tests=validation' in 'tests=validation' (nearest: test)" in text
    )
    assert "Allowed: train, val, test." in text


def test_a_set_without_splits_has_none_to_choose(tmp_path):
    spec = saved(made([0, 1]), tmp_path / "pets")
    assert "Allowed: the set has no splits to choose among." in message(f"{spec}?test=validation")


@pytest.mark.parametrize("column", ["picture", "seen", "raw"])
def test_groups_of_images_lists_or_bytes_are_refused(tmp_path, column):
    """The text of a picture is its address in memory, which is another at every call."""
    more = {"seen": [[1], [2]], "raw": [b"a", b"b"], "patient": ["p", "q"], "day": [date(2026, 1, 1)] * 2}
    content = made([0, 1])
    for name, cells in more.items():
        content = content.add_column(name, cells)
    name = saved(content, tmp_path / "pets")
    with pytest.raises(InputError, match=f"Found: '{column}'.* Allowed: patient, day") as caught:
        load_task(name, labels=LabelSpec(group=column))
    assert "name one of these with --group" in caught.value.next_step
    groups = [item.group for item in open_source(name, LabelSpec(group="day")).items]
    assert groups == ["2026-01-01"] * 2


def test_a_group_that_is_no_number_is_an_empty_cell(tmp_path):
    content = made([0, 1]).add_column("patient", [1.0, float("nan")])
    with pytest.raises(InputError, match="1 of 2 without one"):
        load_task(saved(content, tmp_path / "pets"), labels=LabelSpec(group="patient"))
