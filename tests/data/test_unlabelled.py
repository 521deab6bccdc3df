import io

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.loose import open_loose
from azeotrope.data.task import load_task
from azeotrope.data.unlabelled import COPY, HELD_OUT, UNREADABLE, load_unlabelled
from azeotrope.errors import InputError

from .pictures import encoded, smooth


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Sixty smooth pictures in two classes; a fifth is test, a fifth of the rest validation."""
    root = tmp_path_factory.mktemp("task") / "shapes"
    for label in "ab":
        (root / label).mkdir(parents=True)
        for number in range(30):
            (root / label / f"{number}.png").write_bytes(encoded(smooth(number + 100 * (label == "b"), 48)))
    return load_task(str(root))


def content(task, row):
    return task.source.read(int(row))


def pool(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return str(folder)


def brighter(data):
    """The same picture as another program would save it: a little brighter, as JPEG."""
    pixels = np.asarray(Image.open(io.BytesIO(data)), float) * 0.9 + 10
    return encoded(pixels.astype(np.uint8), "JPEG", quality=90)


NEW = {f"deep/er/{number}.png": encoded(smooth(900 + number, 40)) for number in range(12)}


def test_a_planted_test_image_is_dropped_and_counted(task, tmp_path):
    """No leak: byte for byte, and saved again; of validation images too."""
    test, val = task.splits.test, task.splits.val
    planted = {
        "copy.png": content(task, test[0]),
        "again.jpg": brighter(content(task, test[1])),
        "val.jpg": brighter(content(task, val[0])),
    }
    found = load_unlabelled(pool(tmp_path, {**NEW, **planted}), task)
    dropped = {found.task.manifest.keys[row]: reason for row, reason in found.dropped.items()}
    assert dropped == dict.fromkeys(planted, HELD_OUT)
    assert found.counts() == {HELD_OUT: 3}
    assert len(found.rows) == len(NEW)


def test_what_cannot_be_used_is_counted_and_no_image_is_passed_over(task, tmp_path):
    files = {
        "copy.png": NEW["deep/er/3.png"],
        "torn.png": b"no",
        "notes.txt": b"x",
        ".hidden.png": NEW["deep/er/1.png"],
    }
    found = load_unlabelled(pool(tmp_path, {**NEW, **files}), task)
    assert found.counts() == {COPY: 1, UNREADABLE: 1}
    assert len(found.task.manifest.keys) == len(NEW) + 2


def test_a_folder_that_is_the_test_set_is_refused(task, tmp_path):
    planted = {f"{row}.png": content(task, row) for row in task.splits.test}
    with pytest.raises(InputError) as refused:
        load_unlabelled(pool(tmp_path, {**planted, "new.png": NEW["deep/er/0.png"]}), task)
    said = str(refused.value)
    assert "are the validation or test images themselves. Found: 12 of 13 are the same picture" in said
    assert "name another folder with --unlabelled" in said


def test_a_folder_without_images_says_what_it_holds(task, tmp_path):
    with pytest.raises(InputError, match=r"There is no image below .*Found: 2 files with suffix .txt"):
        load_unlabelled(pool(tmp_path, {"a.txt": b"x", "b/c.txt": b"y"}), task)


def test_a_folder_of_broken_images_is_refused(task, tmp_path):
    with pytest.raises(InputError, match=r"No picture of .* can be used. Found: 2 unreadable"):
        load_unlabelled(pool(tmp_path, {"a.png": b"x", "b.png": b"y"}), task)


def test_a_folder_that_is_not_there_is_refused(task, tmp_path):
    with pytest.raises(InputError, match=r"There is no folder .*nowhere"):
        load_unlabelled(str(tmp_path / "nowhere"), task)


def test_a_url_is_listed_and_read(tmp_path):
    source = open_loose("file://" + pool(tmp_path, NEW))
    assert len(source.items) == len(NEW)
    assert source.read(0) == next(iter(NEW.values()))


def test_a_url_that_cannot_be_listed_is_refused():
    with pytest.raises(InputError, match=r"The URL nosuch://bucket cannot be listed. Found: ValueError"):
        open_loose("nosuch://bucket")


def test_a_labelled_source_may_serve_and_its_held_out_images_do_not(digits):
    found = load_unlabelled("digits", digits)
    held = len(digits.splits.test) + len(digits.splits.val)
    assert found.counts()[HELD_OUT] >= held
    assert found.task.classes == ("unlabelled",)


def test_a_run_takes_nested_parts_without_its_own_images(task, tmp_path):
    found = load_unlabelled(pool(tmp_path, NEW), task)
    own = found.task.manifest.checksums[int(found.rows[0])]
    rows = found.without([own], seed=1)
    assert len(rows) == len(NEW) - 1
    assert found.rows[0] not in rows
    np.testing.assert_array_equal(rows, found.without([own], seed=1))
    assert rows.tolist() != found.without([own], seed=2).tolist()
