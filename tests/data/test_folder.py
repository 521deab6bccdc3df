import os
from pathlib import Path

import numpy as np
import pytest

from azeotrope.data.sources.folder import open_source
from azeotrope.errors import InputError

from .pictures import encoded, noise, write_class_folders


def message(path):
    with pytest.raises(InputError) as caught:
        open_source(str(path))
    return str(caught.value)


def test_class_folders(tmp_path):
    source = open_source(str(write_class_folders(tmp_path / "pets", {"dog": 2, "cat": 1})))
    assert (source.name, source.classes) == ("pets", ("cat", "dog"))
    assert [(item.key, item.label, item.split) for item in source.items] == [
        ("cat/0.png", 0, ""),
        ("dog/0.png", 1, ""),
        ("dog/1.png", 1, ""),
    ]
    assert source.read(1) == (tmp_path / "pets" / "dog" / "0.png").read_bytes()


def test_split_folders(tmp_path):
    for start, split in enumerate(("train", "Validation", "test")):
        write_class_folders(tmp_path / split, {"a": 1, "b": 1}, start=10 * start)
    source = open_source(str(tmp_path))
    assert source.classes == ("a", "b")
    assert {(item.key, item.split) for item in source.items} == {
        (f"{folder}/{name}/0.png", split)
        for folder, split in (("train", "train"), ("Validation", "val"), ("test", "test"))
        for name in ("a", "b")
    }


def test_a_class_may_be_called_train(tmp_path):
    source = open_source(str(write_class_folders(tmp_path, {"train": 2, "bus": 2})))
    assert source.classes == ("bus", "train")
    assert {item.split for item in source.items} == {""}


def test_a_split_layout_mixed_with_other_folders_is_refused(tmp_path):
    write_class_folders(tmp_path / "train", {"a": 1, "b": 1})
    write_class_folders(tmp_path, {"extra": 1})
    assert message(tmp_path) == (
        f"The folder {tmp_path} mixes split folders with others. "
        "Found: extra with 1 images, whose name means neither train, val nor test. "
        "Allowed: a folder of class folders (DATA/cat/1.jpg), or the same below train, val and test "
        f"(DATA/train/cat/1.jpg). Next: rename extra or move it out of {tmp_path}; say --layout class if all of them "
        "are classes."
    )


def test_splits_without_training_images_are_refused(tmp_path):
    write_class_folders(tmp_path / "test", {"a": 1, "b": 1})
    assert "has no folder to train on" in message(tmp_path)


def test_nested_hidden_and_other_files(tmp_path):
    write_class_folders(tmp_path / "a", {"deep": 1})
    write_class_folders(tmp_path, {"b": 1, ".git": 1, "__MACOSX": 1})
    (tmp_path / "b" / "._0.png").write_bytes(b"resource fork")
    (tmp_path / "b" / "notes.txt").write_text("not an image")
    source = open_source(str(tmp_path))
    assert [item.key for item in source.items] == ["a/deep/0.png", "b/0.png"]


def test_an_empty_folder_is_refused(tmp_path):
    assert message(tmp_path) == (
        f"The folder {tmp_path} holds no class folder with an image. Found: an empty folder. "
        "Allowed: a folder of class folders (DATA/cat/1.jpg), or the same below train, val and test "
        "(DATA/train/cat/1.jpg), of files such as .jpg, .png, .webp, .tif. "
        "Next: check the path; for a folder of the datasets library write `hf:FOLDER`."
    )


def test_a_folder_of_arrays_names_the_option_that_reads_them(tmp_path):
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "0.npy", noise(0))
    assert message(tmp_path).endswith(
        "of files such as .jpg, .png, .webp, .tif. Next: add --bands all to read the .npy files as pictures."
    )


def test_loose_images_are_refused_with_advice(tmp_path):
    (tmp_path / "1.png").write_bytes(encoded(noise(0)))
    text = message(tmp_path)
    assert "Found: 1 files with suffix .png." in text
    assert "put each image into a folder named after its class" in text


def test_a_missing_folder_offers_its_neighbours(tmp_path):
    (tmp_path / "flowers").mkdir()
    assert f"Found: nearest in {tmp_path}: flowers." in message(tmp_path / "flower")


ODD_NAMES = ["a'b\"c", "<script>alert(1)<script>", "🐈", "x" * 255, " ", "a\\..\\etc"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_class_names_are_kept_as_they_are(tmp_path, name):
    source = open_source(str(write_class_folders(tmp_path, {name: 1, "plain": 1})))
    assert name in source.classes


def test_a_name_that_is_not_utf8_can_be_written_anywhere(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    (folder / "1.png").write_bytes(encoded(noise(0)))
    write_class_folders(tmp_path, {"tea": 1})
    source = open_source(str(tmp_path))
    assert source.classes == ("caf\\xe9", "tea")
    assert source.items[0].key.encode() == b"caf\\xe9/1.png"
    assert source.read(0) == encoded(noise(0))
