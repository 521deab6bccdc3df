"""A shard at an address is fetched once, to a copy that goes with the command."""

import errno
import gc
import shutil
from pathlib import Path

import numpy as np
import pytest

from azeotrope.data.packing.pack import open_pack
from azeotrope.data.task import load_task, open_source

from .test_webdataset_source import Web, png, refused, samples, shard


@pytest.fixture
def web(tmp_path, monkeypatch):
    """One shard behind an address that counts what it sends, and a cache for copies."""
    shard(tmp_path / "shards" / "part-0000.tar", samples(0, 12))
    system = Web(tmp_path / "shards")
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda url: (system, url))
    monkeypatch.setenv("AZEOTROPE_CACHE", str(tmp_path / "cache"))
    return system


ADDRESS = "webdataset:https://host/part-0000.tar?Signature=x"


def test_a_first_command_fetches_a_shard_once(web, tmp_path):
    task = load_task(ADDRESS, cache=tmp_path / "cache")
    open_pack(task, tmp_path / "cache", 32).ensure(np.arange(12))
    assert web.sent == (tmp_path / "shards" / "part-0000.tar").stat().st_size
    assert task.source.read(3) == png(3)
    assert list((tmp_path / "cache").glob("scratch-shards-*"))
    del task
    gc.collect()
    assert not list((tmp_path / "cache").glob("scratch-shards-*"))


def test_a_shard_for_whose_copy_there_is_no_room_is_read_from_its_address(web, tmp_path, monkeypatch):
    monkeypatch.setattr("azeotrope.data.sources._copies._SHARE", 0.0)
    source = open_source(ADDRESS)
    assert [source.read(place) for place in (3, 0)] == [png(3), png(0)]
    assert not list((tmp_path / "cache").glob("scratch-shards-*/*"))


def test_a_shard_that_changes_while_it_is_fetched_is_refused(web, monkeypatch):
    monkeypatch.setattr(web, "info", lambda path: {"size": 77, "ETag": "1"})
    size = web._file("https://host/part-0000.tar?x").stat().st_size
    assert f"cannot be read. Found: {size:,} bytes of 77 were fetched" in refused(ADDRESS)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_shard_whose_copy_fills_the_disk_is_read_from_its_address(web, tmp_path, monkeypatch, number):
    def fills(path, to):
        Path(to).write_bytes(b"a part")
        raise OSError(number, "no more")

    monkeypatch.setattr(web, "get_file", fills)
    assert open_source(ADDRESS).read(3) == png(3)
    assert not list((tmp_path / "cache").glob("scratch-shards-*/*"))


def test_a_cache_that_is_deleted_costs_no_picture(web, tmp_path):
    source = open_source(ADDRESS)
    shutil.rmtree(tmp_path / "cache")
    assert source.read(3) == png(3)
