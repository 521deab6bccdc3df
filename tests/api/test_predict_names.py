"""What `predict` takes for images: one path or several, folders, patterns, URLs, standard input."""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from azeotrope.data.named import named_images
from azeotrope.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two pictures, one in a folder of its own, and what systems and people leave beside them."""
    monkeypatch.chdir(tmp_path)
    for place in ("nut.png", "others/bolt.png", ".drafts/3.png", "@eaDir/nut.png/THUMB.jpg", "$RECYCLE.BIN/4.png"):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(place)
    Path("._nut.png").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    Path("notes.txt").write_text("no image")
    return tmp_path


def names(images):
    return [named.name for named in named_images(images).files]


@pytest.mark.parametrize("one", ["nut.png", "./nut.png", "others/bolt.png", Path("nut.png")])
def test_one_path_is_a_list_of_one(folder, one):
    assert names(one) == [os.fspath(one)]


def test_a_path_is_never_taken_letter_by_letter(folder):
    with pytest.raises(InputError, match=r"no missing/nut\.png"):  # "/" would be the whole disk
        named_images("missing/nut.png")


@pytest.mark.parametrize("wrong", [3, [3], [b"nut.png"], [["nut.png"]]])
def test_anything_else_is_a_type_error(folder, wrong):
    with pytest.raises(TypeError):
        named_images(wrong)


def test_in_folders_hidden_files_and_by_products_are_passed_over(folder):
    chosen = named_images(".")
    assert [named.name for named in chosen.files] == ["./nut.png", "./others/bolt.png"]
    assert {row.what for row in chosen.passed} == {"hidden", "by-products", "@eaDir", "$RECYCLE.BIN", ".txt"}


def test_patterns_home_and_urls(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert names("*.png") == ["nut.png"]
    assert names("**/bolt.png") == ["others/bolt.png"]
    assert names(["~/nut.png"]) == [str(folder / "nut.png")]
    (named,) = named_images(f"file://{folder}/nut.png").files
    assert named.read() == Path("nut.png").read_bytes()
    (gone,) = named_images("nowhere://nut.png").files
    with pytest.raises(OSError, match="nowhere"):
        gone.read()


def test_a_file_whose_name_is_a_pattern_is_that_file(folder):
    Path("[1].png").write_bytes(Path("nut.png").read_bytes())
    assert names("[1].png") == ["[1].png"]


def test_standard_input_is_a_picture_or_a_list_of_paths(folder, monkeypatch):
    def given(content):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
        return named_images("-").files

    assert [named.name for named in given(b"nut.png\nothers\n\n")] == ["nut.png", "others/bolt.png"]
    (named,) = given(Path("nut.png").read_bytes())
    assert (named.name, named.read()) == ("-", Path("nut.png").read_bytes())


def test_nothing_to_classify_says_what_was_passed_over(folder):
    place = folder / "only"
    place.mkdir()
    (place / ".a.png").write_bytes(b"x")
    with pytest.raises(InputError, match=r"no image files; passed over: 1 hidden"):
        named_images(place)
