"""Where things are kept when the usual place cannot be written."""

import os
import stat
import tempfile

import pytest

from azeotrope.data.sources import _places
from azeotrope.data.sources._places import cache_root, data_root


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home and a folder for temporary files, both of this test alone."""
    for name in ("AZEOTROPE_CACHE", "AZEOTROPE_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    _places._writable.cache_clear()
    yield tmp_path / "home"
    _places._writable.cache_clear()


def test_the_users_cache_is_the_usual_place(home):
    assert cache_root() == home / ".cache" / "azeotrope"
    assert data_root() == home / ".cache" / "azeotrope" / "data"
    assert not (home / ".cache").exists()


def test_what_is_named_is_taken(home, monkeypatch):
    monkeypatch.setenv("AZEOTROPE_CACHE", "~/there")
    assert cache_root() == home / "there"
    monkeypatch.delenv("AZEOTROPE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert cache_root() == home / "xdg" / "azeotrope"


def read_only(monkeypatch, home):
    """As `access(2)` answers on a read-only file system, root too (EROFS)."""
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).startswith(str(home)) and may(path, mode))


def test_a_read_only_home_is_replaced_by_a_folder_of_ones_own_and_it_is_said(home, monkeypatch, caplog):
    read_only(monkeypatch, home)
    found = cache_root()
    assert found.parent == home.parent / "tmp"
    assert stat.S_IMODE(found.stat().st_mode) == 0o700
    assert data_root() == found / "data"
    assert [record.getMessage() for record in caplog.records] == [
        f"{home / '.cache' / 'azeotrope'} cannot be written: {found} takes its place (AZEOTROPE_CACHE names another)"
    ]


def test_a_folder_that_another_user_has_laid_there_is_not_trusted(home, monkeypatch):
    read_only(monkeypatch, home)
    laid = cache_root()
    _places._writable.cache_clear()
    monkeypatch.setattr(os, "getuid", lambda: laid.stat().st_uid + 1)
    assert cache_root() != laid
