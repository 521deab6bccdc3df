import numpy as np
import pytest

from azeotrope.data.division.subset import subset
from azeotrope.data.task import load_task, open_source, schemes
from azeotrope.errors import InputError

from .pictures import write_class_folders


def message(spec):
    with pytest.raises(InputError) as caught:
        load_task(spec)
    return str(caught.value)


def test_digits_are_always_there():
    task = load_task("digits")
    assert (task.name, len(task.labels), task.source.mirror) == ("digits", 1797, False)
    assert [len(part) for part in (task.splits.train, task.splits.val, task.splits.test)] == [1151, 287, 359]
    assert max(task.source.read(row).max() for row in range(20)) == 255
    assert task.manifest.classes == tuple("0123456789")


def test_a_folder_becomes_a_task(tmp_path):
    task = load_task(str(write_class_folders(tmp_path / "pets", {"cat": 10, "dog": 10})))
    assert (task.name, task.classes) == ("pets", ("cat", "dog"))
    assert len(task.fingerprint) == 64
    rows = subset(task.splits.train, task.labels, 4, 0, task.manifest.checksums)
    np.testing.assert_array_equal(np.bincount(task.labels[rows]), [2, 2])


def test_identities_follow_the_content(tmp_path):
    one = load_task(str(write_class_folders(tmp_path / "one", {"a": 4, "b": 4})))
    two = load_task(str(write_class_folders(tmp_path / "two", {"0": 4, "1": 4})))
    np.testing.assert_array_equal(one.identities, two.identities)
    assert one.identities.dtype == np.uint64
    assert len(set(one.identities.tolist())) == 8


def test_more_images_than_there_are(tmp_path):
    task = load_task(str(write_class_folders(tmp_path, {"cat": 10, "dog": 10})))
    with pytest.raises(InputError, match=r"Found: 1000 asked. Allowed: 1 to 12 "):
        subset(task.splits.train, task.labels, 1000, 0, task.manifest.checksums)


def test_one_class_folder_is_refused(tmp_path):
    assert "A task needs at least two classes. Found: 1 in" in message(str(write_class_folders(tmp_path, {"cat": 10})))


def test_an_empty_class_folder_is_a_class_with_too_few_images(tmp_path):
    (write_class_folders(tmp_path, {"cat": 10, "dog": 10}) / "empty").mkdir()
    assert "A class has fewer images than the splits need. Found: 'empty' has 0" in message(str(tmp_path))


def test_an_unknown_source_offers_the_nearest():
    assert message("fashon-mnist") == (
        "'fashon-mnist' is neither a path nor a known source of images. Found: nearest: fashion-mnist. "
        "Allowed: a folder of class folders, a .csv, .tsv or .parquet of paths and labels, or one of "
        "digits, emoji, fashion-mnist, folder, fractals, hf, table, torchvision, webdataset. "
        "Next: check the path, or write scheme:name, as in `hf:beans`."
    )


def test_an_unknown_scheme_offers_the_nearest():
    assert "Found: nearest: torchvision." in message("torchvison:CIFAR10")


def test_a_missing_path_offers_its_neighbours(tmp_path, monkeypatch):
    (tmp_path / "flowers").mkdir()
    assert f"There is no folder {tmp_path}/flower. Found: nearest in {tmp_path}: flowers." in message(
        f"{tmp_path}/flower"
    )
    monkeypatch.chdir(tmp_path)
    assert "Found: nearest: folder, flowers." in message("flower")


def test_a_scheme_comes_before_a_folder_of_that_name(tmp_path, monkeypatch):
    write_class_folders(tmp_path / "digits", {"a": 3, "b": 3})
    monkeypatch.chdir(tmp_path)
    assert len(open_source("digits").items) == 1797
    assert len(open_source("./digits").items) == 6


def test_schemes_are_spelt_as_they_are_typed():
    assert schemes() == [
        "digits",
        "emoji",
        "fashion-mnist",
        "folder",
        "fractals",
        "hf",
        "table",
        "torchvision",
        "webdataset",
    ]


def test_digits_take_no_name():
    assert message("digits:8x8") == "The source `digits` takes no name. Found: '8x8'. Next: write `digits`."


def test_another_share_held_out_is_another_task(tmp_path):
    folder = str(write_class_folders(tmp_path / "pets", {"cat": 20, "dog": 20}))
    whole, small = load_task(folder), load_task(folder, held_out=0.1)
    assert [len(part) for part in (small.splits.train, small.splits.val, small.splits.test)] == [32, 4, 4]
    assert small.fingerprint != whole.fingerprint == load_task(folder, held_out=0.2).fingerprint
    assert small.manifest.fingerprint == whole.manifest.fingerprint  # the images are the same
    assert small.fingerprint == load_task(folder, held_out=0.1).fingerprint
