"""Locks between processes, also where the file system has none, and where Python has no `fcntl` (Windows)."""

import errno
import fcntl
import logging
import subprocess
import sys
import threading
import time

import pytest

from azeotrope.errors import StoreError
from azeotrope.record.storage import lock as module
from azeotrope.record.storage.claim import claimed
from azeotrope.record.storage.lock import locked

HOLDER = """
import sys
from pathlib import Path
if sys.argv[2] != "native":
    import errno, fcntl
    def refused(*_): raise OSError(getattr(errno, sys.argv[2]), "no locks here")
    fcntl.flock = refused
from azeotrope.record.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(params=["native", "ENOSYS", "ENOTSUP"])
def system(request, monkeypatch):
    """What the file system says to `flock`: nothing, or that it has none."""
    module._say_once.cache_clear()
    if request.param != "native":

        def refused(*_):
            raise OSError(getattr(errno, request.param), "no locks here")

        monkeypatch.setattr(fcntl, "flock", refused)
    return request.param


@pytest.fixture
def holder(tmp_path, system):
    """Another process that holds `tmp_path / "lock"`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock"), system],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    for end in (process.stdin, process.stdout):
        end.close()


def test_one_that_another_process_holds_is_refused(tmp_path, holder):
    with pytest.raises(BlockingIOError), locked(tmp_path / "lock", wait=False):
        pass
    assert holder.poll() is None


def test_one_that_a_killed_process_held_is_free(tmp_path, holder):
    holder.kill()
    holder.wait()
    with locked(tmp_path / "lock"):
        pass


def test_who_waits_gets_it_when_it_is_let_go(tmp_path, holder):
    threading.Timer(0.3, holder.stdin.close).start()
    start = time.monotonic()
    with locked(tmp_path / "lock"):
        assert time.monotonic() - start > 0.2


def test_its_file_may_be_removed_by_its_holder(tmp_path, system):
    for _ in range(2):
        with locked(tmp_path / "lock"):
            (tmp_path / "lock").unlink(missing_ok=True)
        assert not list(tmp_path.glob("*.soft"))


def test_an_error_of_another_kind_is_not_taken_for_a_missing_lock(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(OSError, match="broken disk"), locked(tmp_path / "lock"):
        pass


def test_a_file_system_without_locks_is_said_once(tmp_path, monkeypatch, caplog):
    def refused(*_):
        raise OSError(errno.ENOSYS, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refused)
    module._say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        for name in ("a", "b"):
            with locked(tmp_path / name):
                pass
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"The file system of {tmp_path} cannot lock files: marker files (*.soft) stand for locks there. If a command "
        "waits or is refused although no other runs, a machine has crashed: remove these files."
    ]


def test_an_output_folder_has_one_holder_or_several_that_share_it(tmp_path, system):
    out = tmp_path / "out"
    in_use = "in use by another process"
    with claimed(out, shared=True), claimed(out, shared=True), pytest.raises(StoreError, match=in_use), claimed(out):
        pass
    with claimed(out):
        for shared in (False, True):
            with pytest.raises(StoreError, match=in_use), claimed(out, shared=shared):
                pass
    assert not out.exists()  # claimed in vain


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "resource"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
for name in ("fcntl", "resource"):
    sys.modules.pop(name, None)
"""


def on_windows(code, *arguments):
    """Run code in a fresh interpreter that lacks what Windows lacks."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + code, *arguments], capture_output=True, text=True, check=False
    )


def test_a_lock_is_held_where_python_has_no_fcntl(tmp_path):
    code = """
from pathlib import Path
from azeotrope.record.storage.lock import locked
path = Path(sys.argv[1])
with locked(path):
    try:
        with locked(path, wait=False): print("twice")
    except BlockingIOError: print("refused")
with locked(path): print("again")
"""
    done = on_windows(code, str(tmp_path / "lock"))
    assert (done.returncode, done.stdout) == (0, "refused\nagain\n"), done.stderr


def test_the_public_functions_import_without_fcntl_and_resource():
    done = on_windows("import azeotrope\nfor name in azeotrope.__all__: getattr(azeotrope, name)")
    assert done.returncode == 0, done.stderr
