import os
import subprocess
import sys

import pytest

from azeotrope.errors import StoreError
from azeotrope.record.storage.claim import check_same_data, claimed

HOLDER = """
import sys
from pathlib import Path
from azeotrope.record.storage.claim import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds `tmp_path / "out"`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "out")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path, holder):
    out = tmp_path / "out"
    with pytest.raises(StoreError) as refusal, claimed(out):
        pass
    assert str(refusal.value) == (
        f"The folder {out} is in use by another process. Found: process {holder.pid}. Allowed: one writer at a time. "
        "Next: wait until it has ended, or choose another folder with --out."
    )
    assert holder.poll() is None


def test_the_folder_is_free_once_its_holder_was_killed(tmp_path, holder):
    holder.kill()
    holder.wait()
    with claimed(tmp_path / "out") as out:
        assert [path.name.split(".")[2] for path in out.glob(".lock.*")] == [str(os.getpid())]


@pytest.fixture
def half_written(tmp_path):
    """What a process leaves that is killed while it writes a file of a run."""
    script = """
import os, signal, sys
from pathlib import Path
from azeotrope.record.storage.store import write_atomically
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_atomically(Path(sys.argv[1]) / "predictions" / "run.npz", b"half")
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], check=False)
    (left,) = (tmp_path / "out" / "predictions").iterdir()
    (tmp_path / "out" / "plan.yaml").write_text("")
    return left


def test_what_a_killed_process_had_half_written_goes(tmp_path, half_written):
    finished = half_written.with_name("other.npz")
    finished.write_bytes(b"whole")
    with claimed(tmp_path / "out"):
        assert list(half_written.parent.iterdir()) == [finished]


def test_what_a_killed_worker_had_half_written_goes_with_the_last_holder(tmp_path, half_written):
    aside = half_written.rename(tmp_path / half_written.name)
    with claimed(tmp_path / "out", shared=True):
        aside.rename(half_written)
        with claimed(tmp_path / "out", shared=True):
            assert half_written.exists()  # the other one may be writing it
        assert half_written.exists()
    assert not half_written.exists()


def test_the_same_process_may_come_again(tmp_path):
    for _ in range(2):
        with claimed(tmp_path / "out"):
            pass


def test_a_folder_is_let_go_when_the_work_fails(tmp_path):
    with pytest.raises(KeyError), claimed(tmp_path / "out"):
        raise KeyError
    with claimed(tmp_path / "out"):
        pass


def test_a_folder_with_other_things_in_it_is_refused_untouched(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError) as refusal, claimed(tmp_path):
        pass
    assert str(refusal.value) == (
        f"The folder {tmp_path} holds files that are not azeotrope's. Found: thesis.tex. "
        "Allowed: a new or empty folder, or one from an earlier run. Next: choose another folder with --out."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_from_an_earlier_run_is_taken(tmp_path):
    (tmp_path / "plan.yaml").write_text("")
    (tmp_path / "report.html").write_text("")
    with claimed(tmp_path):
        pass


def test_a_file_in_the_folders_place_is_said(tmp_path):
    (tmp_path / "out").write_text("")
    with (
        pytest.raises(StoreError, match=r"The output .*out cannot be written\. Found: .*Next: choose another folder"),
        claimed(tmp_path / "out"),
    ):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_a_folder_that_is_not_writable_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"), claimed(tmp_path / "out"):
        pass


def test_other_images_are_refused(tmp_path):
    check_same_data(tmp_path, "a" * 64, "a" * 64)
    with pytest.raises(StoreError) as refusal:
        check_same_data(tmp_path, "a" * 64, "b" * 64)
    assert str(refusal.value) == (
        f"The images have changed since the runs in {tmp_path} were made. Found: fingerprint bbbbbbbbbbbb, the folder "
        "has aaaaaaaaaaaa. Allowed: the same images, labels and splits in one output folder. "
        "Next: choose another folder with --out; the old runs are untouched."
    )
