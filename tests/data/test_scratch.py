"""Folders that go with the command that made them."""

from contextlib import contextmanager
from pathlib import Path

from azeotrope.data import scratch
from azeotrope.data.scratch import scratch_below


def test_what_a_killed_command_left_goes_with_the_next(tmp_path):
    (tmp_path / "scratch-shards-0123").mkdir()
    (tmp_path / "scratch-shards-0123" / "0").write_bytes(b"left")
    (tmp_path / "scratch-shards-0123.lock").touch()
    with scratch_below(tmp_path, "listing") as mine, scratch_below(tmp_path, "listing") as other:
        assert mine.is_dir()  # the other has not swept it
        assert other.is_dir()
        assert not (tmp_path / "scratch-shards-0123").exists()
    assert not list(tmp_path.iterdir())


def test_a_lock_is_deleted_when_nobody_holds_it_any_more(tmp_path, monkeypatch):
    """Windows deletes no open file."""
    held, own, lock = [], Path.unlink, scratch.locked

    @contextmanager
    def locked(mark, **options):
        with lock(mark, **options):
            held.append(mark)
            yield
            held.remove(mark)

    def unlink(path, **options):
        if path in held:
            raise PermissionError(path)
        own(path, **options)

    monkeypatch.setattr(scratch, "locked", locked)
    monkeypatch.setattr(Path, "unlink", unlink)
    with scratch_below(tmp_path, "listing"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_deleted_keeps_its_lock_for_the_next_command(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(scratch, "rmtree", lambda *_, **__: None)
        with scratch_below(tmp_path, "listing"):
            pass
    assert len(list(tmp_path.iterdir())) == 2
    with scratch_below(tmp_path, "shards"):
        pass
    assert not list(tmp_path.iterdir())
