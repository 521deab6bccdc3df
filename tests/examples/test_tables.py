"""Tables of official lists: as the plain source of tables reads them, and what is refused."""

import sys
from collections import Counter

import pytest

from azeotrope.data.task import load_task
from azeotrope.errors import InputError

from . import stand_ins

CLASSES = {
    "mit67": ("airport_inside", "bakery", "winecellar"),
    "cub": ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross"),
}


@pytest.fixture(params=CLASSES)
def listed(request, tmp_path):
    """A set's name and its folder, without the table."""
    getattr(stand_ins, request.param)(tmp_path / "set")
    return request.param, tmp_path / "set"


def test_the_table_keeps_the_official_splits(tables, listed):
    name, folder = listed
    task = load_task(str(tables.write(name, folder)))
    assert task.name == name
    assert task.classes == CLASSES[name]
    assert Counter(task.manifest.splits) == {"train": 3 * stand_ins.TRAIN, "test": 3 * stand_ins.TEST}
    assert len(task.splits.test) == 3 * stand_ins.TEST
    for key, label in zip(task.manifest.keys, task.labels, strict=True):
        assert key.split("/")[2] == task.classes[label]


def test_images_that_are_not_there_are_counted(tables, listed):
    name, folder = listed
    missing = next(path for path in sorted(folder.rglob("*.jpg")))
    missing.unlink()
    with pytest.raises(InputError, match=r"Every image of the lists must be there. Found: 1 of 45 are not, first"):
        tables.write(name, folder)


def test_a_folder_without_the_lists_is_refused(tables, tmp_path):
    (tmp_path / "kitchen").mkdir()
    with pytest.raises(InputError) as caught:
        tables.write("mit67", tmp_path)
    assert str(caught.value) == (
        f"There is no list {tmp_path / 'TrainImages.txt'}. Found: kitchen. Next: name the folder that the lists are in."
    )


def test_a_line_without_a_class_is_refused(tables, tmp_path):
    (tmp_path / "TrainImages.txt").write_text("kitchen.jpg\n")
    with pytest.raises(InputError, match=r"names a class and a file. Found: 'kitchen.jpg'. Allowed: such as kitchen/1"):
        tables.write("mit67", tmp_path)


def test_lists_of_two_sets_are_refused(tables, tmp_path):
    stand_ins.cub(tmp_path)
    (tmp_path / "train_test_split.txt").write_text("1 0\n")
    with pytest.raises(InputError, match=r"must be of one set. Found: no entry '2' for image 2, 001.Black_footed"):
        tables.write("cub", tmp_path)


def test_the_script_says_where_the_table_is(tables, tmp_path, monkeypatch, capsys):
    stand_ins.mit67(tmp_path)
    monkeypatch.setattr(sys, "argv", ["tables.py", "mit67", str(tmp_path)])
    assert tables.main() == 0
    assert capsys.readouterr().out == f"{tmp_path.parent / 'mit67.csv'}\n"
    (tmp_path / "TestImages.txt").unlink()
    assert tables.main() == 2
    assert "There is no list" in capsys.readouterr().err
