import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from azeotrope.data.packing import rowstore, shard
from azeotrope.data.packing.rowstore import RowStore
from azeotrope.errors import StoreError

KEY = {"of": "squares"}
ROWS, WIDTH = 2000, 512


def opened(root, **changes):
    key = {**KEY, **changes}
    return RowStore.open(Path(root), "table", key, ROWS, (WIDTH,), np.float32)


def squares(rows):
    """What row r must hold."""
    return np.repeat((rows.astype(np.float32) ** 2)[:, None], WIDTH, axis=1)


def test_rows_come_back_in_the_order_asked(tmp_path):
    store = opened(tmp_path)
    rows = np.array([5, 0, 1999, 5])
    assert store.fill(rows, squares, batch=2) == 3
    np.testing.assert_array_equal(store.read(rows), squares(rows))


def test_a_row_of_zeros_counts_as_present(tmp_path):
    store = opened(tmp_path)
    store.fill(np.array([0]), squares, batch=1)
    assert len(store.missing(np.array([0]))) == 0


def test_only_missing_rows_are_computed_also_by_another_process_later(tmp_path):
    opened(tmp_path).fill(np.arange(10), squares, batch=4)
    asked, told = [], []
    computed = opened(tmp_path).fill(
        np.arange(5, 15), lambda rows: (asked.extend(rows), squares(rows))[1], batch=3, advance=told.append
    )
    assert (computed, asked, told) == (5, [10, 11, 12, 13, 14], [3, 2])


def test_missing_names_each_row_once_in_order(tmp_path):
    store = opened(tmp_path)
    store.fill(np.array([3]), squares, batch=1)
    np.testing.assert_array_equal(store.missing(np.array([9, 3, 2, 9])), [9, 2])


def test_unfilled_rows_take_no_space(tmp_path):
    store = opened(tmp_path)
    store.fill(np.array([ROWS - 1]), squares, batch=1)
    file = store.folder / "00000.rows"
    assert file.stat().st_size == ROWS * WIDTH * 4
    assert file.stat().st_blocks * 512 < 100_000


def test_rows_never_filled_cannot_be_read(tmp_path):
    with pytest.raises(StoreError, match="2 of 2 rows are missing"):
        opened(tmp_path).read(np.array([1, 2]))


@pytest.mark.parametrize("changes", [{"of": "cubes"}, {"size": 3}])
def test_another_key_is_another_folder(tmp_path, changes):
    store = opened(tmp_path)
    store.fill(np.arange(5), squares, batch=5)
    other = opened(tmp_path, **changes)
    assert other.folder != store.folder
    assert len(other.missing(np.arange(5))) == 5


@pytest.mark.parametrize(
    ("rows", "shape", "dtype"), [(7, (2,), np.float32), (8, (3,), np.float32), (8, (2,), np.float16)]
)
def test_another_table_of_the_same_key_is_another_folder(tmp_path, rows, shape, dtype):
    first = RowStore.open(tmp_path, "table", KEY, 8, (2,), np.float32)
    assert RowStore.open(tmp_path, "table", KEY, rows, shape, dtype).folder != first.folder


def test_the_key_lies_beside_the_rows(tmp_path):
    key = json.loads((opened(tmp_path).folder / "key.json").read_text())
    assert key["of"] == "squares"
    assert key["rows"] == ROWS


@pytest.mark.parametrize("place", [0, 100 * WIDTH * 4 + 17, ROWS * WIDTH * 4 - 1])
def test_a_flipped_byte_is_found(tmp_path, place):
    store = opened(tmp_path)
    store.fill(np.arange(ROWS), squares, batch=500)
    with (store.folder / "00000.rows").open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))
    row = place // (WIDTH * 4)
    with pytest.raises(StoreError) as refusal:
        opened(tmp_path).read(np.arange(ROWS))
    assert str(refusal.value) == (
        f"The cache file {store.folder}/00000.rows is damaged. Found: 1 of {ROWS} rows are missing or differ from "
        f"their checksum, first {row}. Next: delete this file; its rows are computed again by the next command."
    )
    (store.folder / "00000.rows").unlink()
    assert len(opened(tmp_path).missing(np.arange(ROWS))) == ROWS


@pytest.mark.parametrize("file", ["00000.rows", "00000.checks"])
def test_a_cut_file_is_rebuilt_and_said(tmp_path, file, caplog):
    store = opened(tmp_path)
    store.fill(np.arange(50), squares, batch=50)
    os.truncate(store.folder / file, 1000)
    again = opened(tmp_path)
    assert set(again.missing(np.arange(50))) == set(range(50))
    assert not caplog.messages
    again.fill(np.arange(50), squares, batch=50)
    assert caplog.messages == [f"The cache file {store.folder}/00000.rows was cut short: its rows are computed again"]
    np.testing.assert_array_equal(again.read(np.arange(50)), squares(np.arange(50)))


def test_a_file_cut_while_others_read_it_is_refused(tmp_path):
    store = opened(tmp_path)
    store.fill(np.arange(50), squares, batch=50)
    os.truncate(store.folder / "00000.rows", 10 * WIDTH * 4 + 5)
    with pytest.raises(StoreError, match="40 of 50 rows are missing or differ from their checksum, first 10"):
        store.read(np.arange(50))


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ('{"of": "cubes"}', "another dtype, format, kind, of, rows, shape"),
        ("{", "another dtype"),
        ("[1]", "another dtype"),
    ],
)
def test_a_folder_that_is_not_what_its_name_says_is_refused(tmp_path, note, found):
    """Such as a cache of another teacher, copied to this name by hand."""
    folder = opened(tmp_path).folder
    (folder / "key.json").write_text(note)
    with pytest.raises(StoreError) as refusal:
        opened(tmp_path)
    assert str(refusal.value).startswith(f"The cache folder {folder} does not hold what its name says. Found: {found}")
    assert "delete this folder; it is rebuilt" in str(refusal.value)


def test_files_copied_from_another_table_are_refused(tmp_path):
    """Such as embeddings of another teacher, in files of the right names and lengths."""
    mine, other = opened(tmp_path), opened(tmp_path, of="cubes")
    other.fill(np.arange(50), squares, batch=50)
    for file in [*other.folder.glob("*.rows"), *other.folder.glob("*.checks")]:
        shutil.copy(file, mine.folder)
    with pytest.raises(StoreError, match="50 of 50 rows are missing or differ from their checksum, first 0"):
        mine.read(np.arange(50))


@pytest.mark.parametrize("torn", ["", "[]", '{"rows": 3}'])
def test_times_that_were_lost_are_said_and_counted_anew(tmp_path, torn, caplog):
    """A power cut may empty a file that was replaced and not flushed."""
    store = opened(tmp_path)
    store.fill(np.arange(10), squares, batch=10)
    (store.folder / "00000.times").write_text(torn)
    assert opened(tmp_path).seconds_per_row() == 0
    assert "00000.times is damaged" in caplog.text
    opened(tmp_path).fill(np.arange(20), squares, batch=10)
    assert opened(tmp_path).seconds_per_row() > 0


def test_a_kill_while_a_cut_range_is_begun_anew_leaves_no_old_checksum(tmp_path, monkeypatch):
    """The data are long enough again and the process dies: the old checksums must be gone by then."""
    store = opened(tmp_path)
    store.fill(np.arange(50), squares, batch=50)
    os.truncate(store.folder / "00000.rows", 1000)
    usual, begun = Path.open, []

    def dies_at_the_second(path, mode="r", *args, **options):
        if mode == "wb":
            begun.append(path)
            if len(begun) == 2:
                raise KeyboardInterrupt
        return usual(path, mode, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", dies_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            store.fill(np.arange(50), squares, batch=50)
    assert opened(tmp_path).fill(np.arange(50), squares, batch=50) == 50
    np.testing.assert_array_equal(opened(tmp_path).read(np.arange(50)), squares(np.arange(50)))


def test_another_version_of_the_format_is_another_folder(tmp_path, monkeypatch):
    before = opened(tmp_path).folder
    monkeypatch.setattr(rowstore, "FORMAT", rowstore.FORMAT + 1)
    assert opened(tmp_path).folder != before


@pytest.fixture
def small_shards(monkeypatch):
    """Files of 300 rows: seven for the table."""
    monkeypatch.setattr(rowstore, "SHARD_BYTES", 300 * WIDTH * 4)


@pytest.mark.usefixtures("small_shards")
def test_a_file_copied_to_another_number_is_refused(tmp_path):
    store = opened(tmp_path)
    store.fill(np.arange(300), squares, batch=100)
    for kind in ("rows", "checks"):
        shutil.copy(store.folder / f"00000.{kind}", store.folder / f"00001.{kind}")
    with pytest.raises(StoreError, match="rows are missing or differ from their checksum, first 300"):
        store.read(np.arange(300, 600))


@pytest.mark.usefixtures("small_shards")
def test_readers_see_all_files_as_one_table(tmp_path):
    store, rows = opened(tmp_path), np.random.default_rng(0).permutation(ROWS)
    assert store.fill(rows[:1200], squares, batch=64) == 1200
    assert store.fill(rows, squares, batch=64) == ROWS - 1200
    assert [file.stem for file in sorted(store.folder.glob("*.rows"))] == [f"{n:05d}" for n in range(7)]
    assert (store.folder / "00006.rows").stat().st_size == (ROWS - 6 * 300) * WIDTH * 4
    np.testing.assert_array_equal(opened(tmp_path).read(rows), squares(rows))


@pytest.mark.usefixtures("small_shards")
def test_files_filled_apart_are_put_together_by_copying(tmp_path):
    """Machines without a common folder: each fills ranges of its own, then the files are laid side by side."""
    near, far = opened(tmp_path / "near"), opened(tmp_path / "far")
    near.fill(np.arange(0, 900), squares, batch=100)
    far.fill(np.arange(900, ROWS), squares, batch=100)
    for file in [*far.folder.glob("*.rows"), *far.folder.glob("*.checks")]:
        shutil.copy(file, near.folder)
    np.testing.assert_array_equal(near.read(np.arange(ROWS)), squares(np.arange(ROWS)))


@pytest.mark.usefixtures("small_shards")
def test_a_range_that_another_fills_is_left_for_last(tmp_path):
    """While another process holds the first file, this one fills the other six, then waits for it."""
    store, order = opened(tmp_path), []
    holder = store._shard(0)
    freed = threading.Event()

    def hold():
        with holder.writing():
            held.set()
            freed.wait(10)

    held = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)

    def compute(rows):
        order.append(int(rows[0] // 300))
        if len(set(order)) == 6:
            freed.set()
        return squares(rows)

    store.fill(np.arange(ROWS), compute, batch=300)
    thread.join()
    assert order == [1, 2, 3, 4, 5, 6, 0]


def test_readers_read_while_a_writer_writes(tmp_path):
    """What is present is right at every moment, and stays so."""
    store, seen = opened(tmp_path), []
    writer = threading.Thread(target=store.fill, args=(np.arange(ROWS), squares), kwargs={"batch": 20})
    writer.start()
    while writer.is_alive():
        present = np.setdiff1d(np.arange(ROWS), store.missing(np.arange(ROWS)))
        np.testing.assert_array_equal(store.read(present), squares(present))
        seen.append(len(present))
    writer.join()
    assert seen == sorted(seen)


def test_a_complete_table_is_read_from_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    """No lock, no file is opened for writing: `open` and `fill` find nothing to do."""
    opened(tmp_path).fill(np.arange(20), squares, batch=20)

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    usual = Path.open

    def reading_only(path, mode="r", *args, **options):
        return (usual if mode in ("r", "rb") else refused)(path, mode, *args, **options)

    monkeypatch.setattr(Path, "open", reading_only)
    store = opened(tmp_path)
    assert store.fill(np.arange(20), squares, batch=20) == 0
    np.testing.assert_array_equal(store.read(np.arange(20)), squares(np.arange(20)))
    with pytest.raises(StoreError, match=r"cannot be written\. Found: Permission denied"):
        store.fill(np.arange(21), squares, batch=20)


def test_rows_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"rows of shape \(512,\) are needed, got \(3,\) for 2 rows"):
        opened(tmp_path).fill(np.array([0, 1]), lambda rows: np.zeros((2, 3)), batch=2)


def test_the_cost_of_a_row_is_kept(tmp_path):
    store = opened(tmp_path)
    assert store.seconds_per_row() == 0

    def slowly(rows):
        time.sleep(0.05)
        return squares(rows)

    store.fill(np.arange(10), slowly, batch=5)
    assert 0.01 <= opened(tmp_path).seconds_per_row() < 0.05


WRITER = f"""
import sys, numpy as np
from pathlib import Path
from azeotrope.data.packing.rowstore import RowStore
store = RowStore.open(Path(sys.argv[1]), "table", {KEY!r}, {ROWS}, ({WIDTH},), np.float32)
squares = lambda rows: np.repeat((rows.astype(np.float32) ** 2)[:, None], {WIDTH}, axis=1)
print("ready", flush=True)
store.fill(np.arange({ROWS}), squares, batch=7, advance=lambda n: print(n, flush=True))
"""


@pytest.mark.parametrize("batches", [1, 40])
def test_a_killed_writer_leaves_rows_missing_never_wrong(tmp_path, batches):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    for _ in range(1 + batches):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    store, everything = opened(tmp_path), np.arange(ROWS)
    absent = store.missing(everything)
    assert 0 < len(absent) <= ROWS - 7 * batches
    present = np.setdiff1d(everything, absent)
    np.testing.assert_array_equal(store.read(present), squares(present))
    assert store.fill(everything, squares, batch=100) == len(absent)
    np.testing.assert_array_equal(store.read(everything), squares(everything))


def _fill_half(root, start, gate, computed):
    gate.wait()
    rows = np.arange(start, start + 1500)
    computed.put(opened(root).fill(rows, squares, batch=50))


def test_two_processes_fill_one_table_together(tmp_path):
    """They want rows 0-1499 and 500-1999: each row is computed once, and all are right."""
    context = multiprocessing.get_context("spawn")
    gate, computed = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_fill_half, args=(tmp_path, start, gate, computed)) for start in (0, 500)]
    for process in processes:
        process.start()
    counts = [computed.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sum(counts) == ROWS
    np.testing.assert_array_equal(opened(tmp_path).read(np.arange(ROWS)), squares(np.arange(ROWS)))


def test_a_full_disk_is_said_and_leaves_what_is_there_right(tmp_path, monkeypatch):
    store = opened(tmp_path)
    store.fill(np.arange(10), squares, batch=10)

    def full(path, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(shard.Path, "open", _open_unless_rows(full))
        with pytest.raises(StoreError) as refusal:
            store.fill(np.arange(20), squares, batch=10)
    assert str(refusal.value) == (
        f"The disk is full while writing {store.folder}. Found: No space left on device. "
        "Next: free some space, then give the same command again: finished runs are kept."
    )
    np.testing.assert_array_equal(store.missing(np.arange(20)), np.arange(10, 20))
    np.testing.assert_array_equal(store.read(np.arange(10)), squares(np.arange(10)))


def _open_unless_rows(full):
    usual = Path.open
    return lambda path, *args, **options: (full if path.name == "00000.rows" else usual)(path, *args, **options)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    """A file where the folder should be: refused for root too."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(
        StoreError, match=r"The output .*table-[0-9a-f]{16} cannot be written. Found: Not a directory"
    ) as said:
        opened(tmp_path / "cache")
    assert "choose another folder with --cache" in str(said.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_a_read_only_folder_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"cannot be written\. Found: Permission denied"):
        opened(tmp_path)


def test_what_cannot_be_computed_is_no_fault_of_the_folder(tmp_path):
    def unreadable(rows):
        raise FileNotFoundError("photo.jpg")

    with pytest.raises(FileNotFoundError, match=r"photo\.jpg"):
        opened(tmp_path).fill(np.arange(3), unreadable, batch=3)
