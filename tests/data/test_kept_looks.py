"""What is kept of each image from command to command, and when it is not believed."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.listing import kept_looks as keeping
from azeotrope.data.listing import look as looking
from azeotrope.data.listing.kept_looks import kept_looks
from azeotrope.data.listing.scan import scan
from azeotrope.data.packing.pack import open_pack
from azeotrope.data.sources import folder as folders
from azeotrope.data.sources import table as tables
from azeotrope.data.sources._source import Stamp
from azeotrope.data.task import load_task
from azeotrope.errors import InputError

LONG_AGO = 1_000_000_000  # seconds since 1970


def picture(path, seed, depth=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 200 if depth is np.uint8 else 4000, (20, 24)).astype(depth)
    Image.fromarray(values).save(path)
    os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Files of a test were all made just now, whatever times they were given."""
    monkeypatch.setattr(keeping, "SETTLED", -3600 * 10**9)


@pytest.fixture
def photos(tmp_path):
    """Two classes of six pictures, one of which is broken."""
    for place in range(12):
        picture(tmp_path / "photos" / "ab"[place % 2] / f"{place}.png", place)
    broken = tmp_path / "photos" / "a" / "0.png"
    broken.write_bytes(broken.read_bytes()[:60])
    os.utime(broken, (LONG_AGO, LONG_AGO))
    return tmp_path / "photos"


@pytest.fixture
def read(monkeypatch):
    """The rows that are read, in order of reading."""
    rows, own = [], looking.look_at

    def look_at(source, row, pixels, take):
        rows.append(source.items[row].key)
        return own(source, row, pixels, take)

    monkeypatch.setattr("azeotrope.data.listing.scan.look_at", look_at)
    return rows


def listed(where, cache, anew=False, opened=folders):
    return scan(opened.open_source(str(where)), threads=1, kept=kept_looks(cache, str(where), anew=anew))


def equal(one, two):
    assert (one.fingerprint, one.order_digest, one.keys) == (two.fingerprint, two.order_digest, two.keys)
    assert (dict(one.reasons), dict(one.notes), one.words) == (dict(two.reasons), dict(two.notes), two.words)
    for name in ("heights", "widths", "channels", "readable", "thumbnails"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    return True


def test_a_second_listing_reads_nothing_and_says_the_same(photos, tmp_path, read):
    first = listed(photos, tmp_path / "cache")
    assert len(read) == 12
    read.clear()
    second = listed(photos, tmp_path / "cache")
    assert read == ["a/0.png"]  # what could not be read is tried again
    assert equal(first, second)
    assert equal(first, scan(folders.open_source(str(photos))))
    assert len(second.reasons) == 1


@pytest.mark.parametrize("change", ["size", "time", "content", "new", "gone", "renamed"])
def test_only_what_changed_is_read(photos, tmp_path, read, change):
    picture(photos / "a" / "0.png", 0)
    listed(photos, tmp_path / "cache")
    read.clear()
    changed = photos / "b" / "3.png"
    if change == "size":
        picture(photos / "c.png", 77)
        changed.write_bytes((photos / "c.png").read_bytes() + b"more")
        (photos / "c.png").unlink()
        os.utime(changed, (LONG_AGO, LONG_AGO))
    elif change == "time":
        os.utime(changed, (LONG_AGO, LONG_AGO + 1))
    elif change == "content":  # of as many bytes, under the old time: the disk knows when
        changed.write_bytes(changed.read_bytes()[:-1] + b"?")
        os.utime(changed, (LONG_AGO, LONG_AGO))
    elif change == "new":
        picture(photos / "b" / "77.png", 77)
    elif change == "renamed":
        changed.rename(photos / "b" / "other.png")
    else:
        changed.unlink()
    found = listed(photos, tmp_path / "cache")
    assert read == {"new": ["b/77.png"], "gone": [], "renamed": ["b/other.png"]}.get(change, ["b/3.png"])
    assert equal(found, scan(folders.open_source(str(photos))))


def test_a_file_changed_behind_its_stamp_is_found_when_it_is_used_and_by_reading_anew(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "stamp_of", lambda path: Stamp(path, 0, 0, 0))  # a disk that knows nothing
    picture(photos / "a" / "0.png", 0)
    before = load_task(str(photos), cache=tmp_path / "cache")
    row = int(before.splits.train[0])
    path = photos / before.manifest.keys[row]
    content = bytearray(path.read_bytes())
    other = next(p for p in photos.rglob("*.png") if p != path and p.stat().st_size <= len(content)).read_bytes()
    path.write_bytes(other + b"\0" * (len(content) - len(other)))
    os.utime(path, (LONG_AGO, LONG_AGO))
    task = load_task(str(photos), cache=tmp_path / "cache")
    assert task.manifest.checksums == before.manifest.checksums
    with pytest.raises(InputError) as refusal:
        open_pack(task, tmp_path / "cache", 24).ensure(task.splits.train)
    assert str(refusal.value) == (
        f"The image {task.manifest.keys[row]} could be read when the images were listed and now cannot. "
        "Found: its content has changed since. "
        "Next: put it back, or give the command again: what has changed is then read anew (with --strict all images)."
    )
    anew = load_task(str(photos), cache=tmp_path / "cache", anew=True)
    assert anew.manifest.checksums != before.manifest.checksums
    assert load_task(str(photos), cache=tmp_path / "cache").manifest.checksums == anew.manifest.checksums


@pytest.mark.parametrize("time_of", ["modified", "changed"])
def test_a_file_that_was_just_written_is_not_believed(photos, tmp_path, read, monkeypatch, time_of):
    times = dict.fromkeys(("modified", "changed"), 0)
    now = {**times, time_of: time.time_ns()}
    stamp = lambda path: Stamp(path, 0, **(now if path.endswith("2.png") else times))  # noqa: E731 (one line)
    monkeypatch.setattr(keeping, "SETTLED", 2 * 10**9)
    monkeypatch.setattr(folders, "stamp_of", stamp)
    picture(photos / "a" / "0.png", 0)
    listed(photos, tmp_path / "cache")
    read.clear()
    listed(photos, tmp_path / "cache")
    assert read == ["a/2.png"]


@pytest.mark.parametrize("harm", [b"", b"PK\x03\x04 torn", "cut", "directory"])
def test_what_is_kept_may_be_torn(photos, tmp_path, harm, read, caplog):
    first = listed(photos, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    if harm == "directory":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(file.read_bytes()[:500] if harm == "cut" else harm)
    read.clear()
    assert equal(first, listed(photos, tmp_path / "cache"))
    assert len(read) == 12
    assert f"{file} is damaged" in caplog.text
    assert "every image is read again" in caplog.text


@pytest.mark.parametrize(
    "texts", [b'{"names": [[1]], "notes": {}}', b'{"names": [], "notes": {"0": 5}}', b"[" * 100_000]
)
def test_what_is_kept_may_hold_other_texts(photos, tmp_path, texts, read, caplog):
    """Whole as an archive, and not what was written."""
    first = listed(photos, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    with np.load(file) as content:
        columns = dict(content)
    with file.open("wb") as torn:
        np.savez(torn, **columns | {"texts": np.frombuffer(texts, np.uint8)})
    read.clear()
    assert equal(first, listed(photos, tmp_path / "cache"))
    assert len(read) == 12
    assert f"{file} is damaged" in caplog.text


def test_a_file_listed_twice_keeps_what_was_noted_of_it(tmp_path, read):
    """Both rows of a table that names one picture, turned by its EXIF."""
    turned = Image.Exif()
    turned[274] = 6
    path = tmp_path / "turned.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 200, (20, 24), np.uint8)).save(path, exif=turned)
    os.utime(path, (LONG_AGO, LONG_AGO))
    table = tmp_path / "table.csv"
    table.write_text(f"path,label\n{path},a\n{path},b\n")
    first = listed(table, tmp_path / "cache", opened=tables)
    picture(tmp_path / "more.png", 1)
    table.write_text(f"path,label\n{path},a\nmore.png,a\n{path},b\n")
    second = listed(table, tmp_path / "cache", opened=tables)
    assert len(read) == 3
    assert dict(first.notes) == dict(second.notes)
    assert sum(first.notes.values()) == 2
    assert equal(second, scan(tables.open_source(str(table))))


def test_many_write_at_once_and_one_of_them_is_whole(photos, tmp_path, read):
    """Each writes beside the file and renames: whoever reads finds one of both."""
    picture(photos / "a" / "0.png", 0)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: listed(photos, tmp_path / "cache", anew=True), range(16)))
    read.clear()
    assert equal(found[0], listed(photos, tmp_path / "cache"))
    assert not read
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_relative_path_means_its_folder(photos, tmp_path, read, monkeypatch):
    """The same name in another folder is another set."""
    monkeypatch.chdir(photos.parent)
    first = listed("photos", tmp_path / "cache")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for place in range(12):
        picture(tmp_path / "elsewhere" / "photos" / "ab"[place % 2] / f"{place}.png", 100 + place)
    assert listed("photos", tmp_path / "cache").fingerprint != first.fingerprint
    read.clear()
    assert equal(listed(photos, tmp_path / "cache"), first)
    assert read == ["a/0.png"]


def test_deep_pictures_keep_their_range(tmp_path):
    for place in range(6):
        picture(tmp_path / "deep" / "ab"[place % 2] / f"{place}.png", place, np.uint16)
    first, second = (listed(tmp_path / "deep", tmp_path / "cache") for _ in range(2))
    assert equal(first, second)
    assert first.value_range == second.value_range == (0.0, 4095.0)


def test_tables_of_files_are_kept_and_addresses_are_not(photos, tmp_path, read):
    picture(photos / "a" / "0.png", 0)
    good = sorted(photos.rglob("*.png"))
    lines = [f"{path},{path.parent.name}" for path in good]
    table = tmp_path / "table.csv"
    table.write_text("path,label\n" + "\n".join([*lines, f"file://{good[-1]},b"]) + "\n")
    first = listed(table, tmp_path / "cache", opened=tables)
    read.clear()
    assert equal(first, listed(table, tmp_path / "cache", opened=tables))
    assert read == [f"file://{good[-1]}"]
