"""Packs that are filled while a set is listed hold what packs hold that are filled later, to the bit."""

import dataclasses
import errno
import time
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from azeotrope.data import task as task_module
from azeotrope.data.division.split import split_task
from azeotrope.data.division.subset import subset
from azeotrope.data.listing import look
from azeotrope.data.listing.scan import scan
from azeotrope.data.packing import pack
from azeotrope.data.packing.draft import Draft
from azeotrope.data.packing.early_packs import Foreseen, Use
from azeotrope.data.packing.foreseen import Asked, foreseen_rows
from azeotrope.data.packing.pack import open_pack, open_plain
from azeotrope.data.packing.rowstore import RowStore
from azeotrope.data.packing.shard import _effect
from azeotrope.data.sources._source import Item, Source
from azeotrope.data.task import load_folds, load_task
from azeotrope.labels import LabelSpec, PixelSpec

from .made import checksum
from .pictures import noise

EVERY = frozenset({"train", "val", "test"})
ALL = Asked(None, (0,))
STUDENT = Use(lambda side: 16, frozenset({"train"}), frozenset({"val", "test"}), "bilinear")
TEACHER = Use(lambda side: 24, EVERY)


def photos(folder, shapes, count=40):
    """Pictures of these shapes by turns, in two classes."""
    for number in range(count):
        place = folder / "ab"[number % 2] / f"{number:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        shape = shapes[number * len(shapes) // count]
        pixels = noise(number, shape)
        Image.fromarray(pixels).save(place)
    return str(folder)


@pytest.fixture
def decoded(monkeypatch):
    """How often each content is decoded, by whoever."""
    counts, own = Counter(), look.decode

    def decode(raw, *args, **options):
        counts[bytes(raw)] += 1
        return own(raw, *args, **options)

    monkeypatch.setattr(look, "decode", decode)
    monkeypatch.setattr(pack, "decode", decode)
    return counts


def packs_of(task, cache):
    """What a student of 16 pixels with a teacher of 24 reads, filled where it is missing."""
    splits = task.splits
    judged = np.concatenate([splits.val, splits.test])
    wanted = [
        (open_pack(task, cache, 16), splits.train),
        (open_pack(task, cache, 24), np.concatenate([splits.train, judged])),
        (open_plain(task, cache, 16, "bilinear"), judged),
    ]
    for opened, rows in wanted:
        opened.ensure(rows)
    return [(opened.store.folder.name, opened.store.read(rows)) for opened, rows in wanted]


def files_of(cache):
    """Checksums of rows as they are on disk, by file."""
    return {str(path.relative_to(cache)): np.fromfile(path, np.uint64) for path in cache.rglob("*.checks")}


SHAPES = {
    "larger than the models": [(40, 52, 3), (90, 31, 3), (36, 36, 3)],
    "of one size, smaller": [(14, 14)],
    "growing": [(9, 9), (12, 15), (20, 18, 3), (25, 40, 3)],
    "grey, then in colour": [(40, 40), (40, 40, 3)],
}


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("fit", ["squeeze", "crop", "pad"])
def test_early_packs_are_late_packs_to_the_bit(tmp_path, shapes, fit):
    where, labels = photos(tmp_path / "photos", shapes), LabelSpec(pixels=PixelSpec(fit=fit))
    late = load_task(where, labels=labels, cache=tmp_path / "late")
    task = load_task(where, labels=labels, cache=tmp_path / "early", foreseen=Foreseen(ALL, (STUDENT, TEACHER)))
    assert task.fingerprint == late.fingerprint
    np.testing.assert_array_equal(task.manifest.thumbnails, late.manifest.thumbnails)
    np.testing.assert_array_equal(task.near.pairs, late.near.pairs)
    there = files_of(tmp_path / "early")
    for (name, one), (other, two) in zip(
        packs_of(task, tmp_path / "early"), packs_of(late, tmp_path / "late"), strict=True
    ):
        assert name == other
        np.testing.assert_array_equal(one, two)
    assert any(sums.any() for sums in there.values())
    if shapes in (SHAPES["larger than the models"], SHAPES["of one size, smaller"]):
        assert {file for file, sums in there.items() if sums.any()} == set(files_of(tmp_path / "late"))
    for file, sums in files_of(tmp_path / "late").items():  # of rows that both have
        both = (there.get(file, np.zeros_like(sums)) != 0) & (sums != 0)
        np.testing.assert_array_equal(there[file][both] if both.any() else sums[both], sums[both])


@pytest.mark.parametrize("shapes", [SHAPES["larger than the models"], SHAPES["of one size, smaller"]])
def test_each_picture_is_decoded_once(tmp_path, decoded, shapes):
    where = photos(tmp_path / "photos", shapes)
    task = load_task(where, cache=tmp_path / "cache", foreseen=Foreseen(ALL, (STUDENT, TEACHER)))
    packs_of(task, tmp_path / "cache")
    assert len(decoded) == 40
    again = [count for count in decoded.values() if count > 1]
    assert len(again) <= (0 if len(shapes) == 1 else 2)  # the first, before another showed that they differ in size
    assert not list((tmp_path / "cache").glob("scratch-*"))
    assert open_pack(task, tmp_path / "cache", 24).store.seconds_per_row() > 0


def test_a_listing_alone_packs_nothing(tmp_path, decoded):
    load_task(photos(tmp_path / "photos", [(40, 40)]), cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.rows"))


def test_what_is_kept_stays_valid(tmp_path, decoded, monkeypatch):
    monkeypatch.setattr("azeotrope.data.listing.kept_looks.SETTLED", -3600 * 10**9)
    where, foreseen = photos(tmp_path / "photos", [(40, 52, 3)]), Foreseen(ALL, (STUDENT, TEACHER))
    before = load_task(where, cache=tmp_path / "cache", foreseen=foreseen)
    first = packs_of(before, tmp_path / "cache")
    decoded.clear()
    second = packs_of(load_task(where, cache=tmp_path / "cache", foreseen=foreseen), tmp_path / "cache")
    assert not decoded
    anew = packs_of(load_task(where, cache=tmp_path / "cache", foreseen=foreseen, anew=True), tmp_path / "cache")
    assert set(decoded.values()) == {1}  # by the listing; the packs stand
    for one, two, three in zip(first, second, anew, strict=True):
        np.testing.assert_array_equal(one[1], two[1])
        np.testing.assert_array_equal(one[1], three[1])


def test_folds_are_foreseen(tmp_path, decoded):
    where = photos(tmp_path / "photos", [(40, 52, 3), (30, 30, 3)])
    asked = Asked(None, (0,), folds=4)
    tasks = load_folds(where, 4, cache=tmp_path / "cache", foreseen=Foreseen(asked, (STUDENT, TEACHER)))
    for task in tasks:
        packs_of(task, tmp_path / "cache")
    assert sum(count > 1 for count in decoded.values()) <= 2


def test_files_of_more_than_8_bits_are_packed_later(tmp_path):
    folder = tmp_path / "photos"
    photos(folder, [(30, 30)])
    for number in range(10):
        deep = np.random.default_rng(number).integers(0, 4000, (30, 30)).astype(np.uint16)
        Image.fromarray(deep).save(folder / "ab"[number % 2] / f"deep{number}.png")
    late = load_task(str(folder), cache=tmp_path / "late")
    task = load_task(str(folder), cache=tmp_path / "early", foreseen=Foreseen(ALL, (STUDENT, TEACHER)))
    early = open_pack(task, tmp_path / "early", 24).store.missing(np.arange(50))
    assert [task.manifest.keys[row][2:6] for row in early.tolist()] == ["deep"] * 10
    for one, two in zip(packs_of(task, tmp_path / "early"), packs_of(late, tmp_path / "late"), strict=True):
        assert one[0] == two[0]
        np.testing.assert_array_equal(one[1], two[1])


def test_a_full_disk_stops_the_drafts_and_not_the_listing(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    where = photos(tmp_path / "photos", [(40, 40)])
    monkeypatch.setattr(Draft, "put", full)
    task = load_task(where, cache=tmp_path / "cache", foreseen=Foreseen(ALL, (STUDENT,)))
    assert len(task.labels) == 40
    assert "not packed while they are listed: [Errno 28] No space left on device" in caplog.text


def test_a_file_that_a_pack_has_already_stays(tmp_path):
    store = RowStore.open(tmp_path, "pack", {}, 4, (3,), np.uint8)
    store.fill(np.array([1]), lambda rows: np.full((1, 3), 7, np.uint8), batch=1)
    draft = Draft(tmp_path / "draft", 4, (3,), np.uint8)
    draft.put(2, np.array([1, 2, 3], np.uint8))
    assert draft.become(store, 0.0, None) == 0
    assert store.read(np.array([1])).tolist() == [[7, 7, 7]]
    assert store.missing(np.arange(4)).tolist() == [0, 2, 3]


def test_a_start_changes_a_checksum_whatever_the_bytes_are():
    content = np.random.default_rng(0).bytes(1001)
    starts = np.array([0, 1, 0xDEADBEEF, 2**32 - 1], np.uint32)
    expected = [zlib.crc32(content, int(start)) ^ zlib.crc32(content) for start in starts]
    assert _effect(starts, len(content)).tolist() == expected


@pytest.mark.parametrize("train_images", [200, 1500])
def test_hashes_tell_where_images_will_be(train_images):
    """Of 4,000 images in 20 classes of different sizes: nearly all that are used are foreseen, and few besides."""
    rng = np.random.default_rng(0)
    labels = rng.choice(20, 4000, p=np.arange(1, 21) / 210)
    items = [Item(f"{row}", int(label), "") for row, label in enumerate(labels)]
    pixels = np.arange(4000, dtype=np.uint16).view(np.uint8).reshape(4000, 1, 2)
    source = Source("made", tuple("abcdefghijklmnopqrst"), items, lambda row: pixels[row])
    task = scan(source)
    splits, sums = split_task(task), task.checksums
    seeds = (0, 1, 2)
    used = {"test": set(splits.test.tolist()), "train": set(), "val": set()}
    for seed in seeds:
        used["train"] |= set(subset(splits.train, labels, train_images, seed, sums).tolist())
        count = max(round(0.25 * train_images), 40)
        used["val"] |= set(subset(splits.val, labels, count, seed, sums).tolist())
    rows = foreseen_rows(source, Asked(train_images, seeds))
    said = {part: {row for row in range(4000) if part in rows.of(row, sums[row])} for part in used}
    for part, rows_used in used.items():
        assert len(rows_used - said[part]) <= 0.01 * len(rows_used)
        assert len(said[part] - rows_used) < 0.15 * 4000


def test_groups_and_several_labels_are_not_foreseen():
    items = [Item(f"{row}", row % 2, "", group=str(row // 2)) for row in range(8)]
    grouped = Source("made", ("a", "b"), items, lambda row: b"")
    assert foreseen_rows(grouped, ALL) is None
    several = Source("made", ("a", "b"), [Item("0", (0, 1), ""), Item("1", (), "")], lambda row: b"", kind="multi")
    assert foreseen_rows(several, ALL) is None


def test_given_splits_are_foreseen_each_by_itself():
    """Of 5,000 validation images a run on 200 reads 50."""
    splits = ["train"] * 20_000 + ["val"] * 5_000 + ["test"] * 1_000
    items = [Item(f"{row}", row % 10, split) for row, split in enumerate(splits)]
    source = Source("made", tuple("abcdefghij"), items, lambda row: b"")
    rows = foreseen_rows(source, Asked(200, (0,)))
    counts = Counter(part for row in range(len(items)) for part in rows.of(row, checksum(row)))
    assert counts["test"] == 1_000
    assert 50 <= counts["val"] < 200
    assert 200 <= counts["train"] < 500


def test_a_source_without_stamps_is_packed_early_once(tmp_path, monkeypatch):
    """It is listed by every command; its packs are there from the second on."""
    where, foreseen, rows = photos(tmp_path / "photos", [(40, 40)]), Foreseen(ALL, (STUDENT,)), []
    opened, put = task_module.open_source(where), Draft.put
    monkeypatch.setattr(task_module, "open_source", lambda *_: dataclasses.replace(opened, stamp=None))
    monkeypatch.setattr(Draft, "put", lambda self, row, content: rows.append(row) or put(self, row, content))
    load_task(where, cache=tmp_path / "cache", foreseen=foreseen)
    assert rows
    rows.clear()
    load_task(where, cache=tmp_path / "cache", foreseen=foreseen)
    assert not rows


def test_a_row_of_which_a_part_was_written_is_not_there(tmp_path):
    """As at the end of a full disk or a quota."""
    resource = pytest.importorskip("resource")
    draft, limits = Draft(tmp_path / "draft", 4, (1000,), np.uint8), resource.getrlimit(resource.RLIMIT_FSIZE)
    row = np.ones(1000, np.uint8)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, limits[1]))
        draft.put(1, row)
        with pytest.raises(OSError, match="File too large"):
            draft.put(2, row)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    store = RowStore.open(tmp_path, "pack", {}, 4, (1000,), np.uint8)
    draft.become(store, 0.0, None)
    assert store.missing(np.arange(4)).tolist() == [0, 2, 3]


def test_a_draft_takes_rows_of_its_shape_only(tmp_path):
    with pytest.raises(ValueError, match=r"\(3,\) is needed, got \(4,\)"):
        Draft(tmp_path / "draft", 4, (3,), np.uint8).put(0, np.ones(4, np.uint8))


def test_a_picture_is_charged_by_the_threads_that_worked(tmp_path, monkeypatch):
    """Forty pictures go to one thread, however many processors there are."""
    own = look.decode
    monkeypatch.setattr(look, "decode", lambda *given, **options: time.sleep(0.01) or own(*given, **options))
    monkeypatch.setattr("azeotrope.data.listing.scan.processors", lambda: 8)
    task = load_task(
        photos(tmp_path / "photos", [(40, 40)]), cache=tmp_path / "cache", foreseen=Foreseen(ALL, (TEACHER,))
    )
    assert open_pack(task, tmp_path / "cache", 24).store.seconds_per_row() >= 0.01
