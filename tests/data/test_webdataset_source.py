"""Shards of WebDataset: `key.jpg` and `key.cls` beside each other in tar files, as its documentation describes them."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.listing.kept_looks import kept_looks
from azeotrope.data.listing.scan import scan
from azeotrope.data.task import load_task, open_source
from azeotrope.errors import InputError

LONG_AGO = 1_000_000_000


def png(seed):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def shard(path, entries):
    """A tar of (name, content) that was last changed long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in entries:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def samples(first, count, labels=("cat", "dog")):
    """Pictures `first`, `first` + 1, ... with their classes."""
    return [
        entry
        for number in range(first, first + count)
        for entry in ((f"{number:05d}.png", png(number)), (f"{number:05d}.cls", labels[number % len(labels)].encode()))
    ]


@pytest.fixture
def shards(tmp_path):
    """Two shards of six pictures and four."""
    shard(tmp_path / "shards" / "part-0000.tar", samples(0, 6))
    shard(tmp_path / "shards" / "part-0001.tar", samples(6, 4))
    return tmp_path / "shards"


def refused(spec):
    with pytest.raises(InputError) as refusal:
        open_source(spec)
    return str(refusal.value)


@pytest.mark.parametrize("means", ["folder", "braces", "glob", "url"])
def test_pictures_come_in_the_order_of_the_shards(shards, means):
    name = {
        "folder": f"{shards}",
        "braces": f"{shards}/part-{{0000..0001}}.tar",
        "glob": f"{shards}/*.tar",
        "url": f"file://{shards}/part-{{0000..0001}}.tar",
    }[means]
    source = open_source(f"webdataset:{name}")
    assert source.classes == ("cat", "dog")
    assert [item.label for item in source.items] == [0, 1] * 5
    assert [item.split for item in source.items] == [""] * 10
    assert source.items[6].key == "part-0001.tar/00006.png"
    assert [source.read(place) for place in (9, 0, 6)] == [png(9), png(0), png(6)]


def test_it_is_the_same_task_as_the_unpacked_files(shards, tmp_path):
    """The fingerprint knows contents, labels and splits, not where they lie."""
    for number in range(10):
        path = tmp_path / "files" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))
    packed, files = load_task(f"webdataset:{shards}"), load_task(str(tmp_path / "files"))
    assert packed.fingerprint == files.fingerprint
    assert packed.manifest.images_digest == files.manifest.images_digest


def test_the_names_of_shards_say_the_splits(tmp_path):
    for split, first in (("train", 0), ("val", 8), ("test", 12)):
        shard(tmp_path / f"{split}-000.tar", samples(first, 4))
    found = open_source(f"webdataset:{tmp_path}").items
    assert [item.split for item in found] == ["test"] * 4 + ["train"] * 4 + ["val"] * 4
    shard(tmp_path / "more-000.tar", samples(30, 2))
    assert refused(f"webdataset:{tmp_path}") == (
        "The names of shards say a split, all of them or none. Found: more-000.tar beside shards of test, train, val. "
        "Allowed: train-0000.tar, val-0000.tar, test-0000.tar; azeotrope makes the splits where no name says one. "
        "Next: rename the shards, or name those that are meant with a pattern."
    )


def test_numbers_are_lines_of_the_list_beside_the_shards(tmp_path):
    shard(tmp_path / "0.tar", samples(0, 4, ("1", "0")))
    assert open_source(f"webdataset:{tmp_path}").classes == ("0", "1")
    (tmp_path / "classes.txt").write_text("zebra\nape\n")
    source = open_source(f"webdataset:{tmp_path}")
    assert source.classes == ("zebra", "ape")
    assert [item.label for item in source.items] == [1, 0, 1, 0]


def test_other_files_are_counted(tmp_path):
    more = [("00000.json", b"{}"), ("00000.seg.png", png(5))]
    shard(tmp_path / "0.tar", [*samples(0, 4), *more])
    found = open_source(f"webdataset:{tmp_path}")
    assert len(found.items) == 4
    assert {(each.what, each.count, each.picture) for each in found.passed} == {
        (".json", 1, False),
        (".seg.png", 1, True),
    }


@pytest.mark.parametrize("cut", ["in a picture", "in a header", "between files", "damaged"])
def test_a_shard_that_is_cut_short_is_refused_with_what_is_whole(shards, cut):
    path = shards / "part-0001.tar"
    content = path.read_bytes()
    with tarfile.open(path) as archive:
        third = archive.getmembers()[4]
    if cut == "damaged":
        at = third.offset
        path.write_bytes(content[:at] + b"?" * 512 + content[at + 512 :])
    else:
        at = {
            "in a picture": third.offset_data + 100,
            "in a header": third.offset + 200,
            "between files": third.offset,
        }[cut]
        path.write_bytes(content[:at])
    found = third.offset if cut == "in a header" else at
    if cut == "in a header":
        assert refused(f"webdataset:{shards}").startswith(
            f"The shard {path} is cut short or damaged. Found: 2 whole pictures, then something else at byte"
        )
        return
    assert refused(f"webdataset:{shards}") == (
        f"The shard {path} is cut short or damaged. Found: 2 whole pictures, then something else at byte {found:,} "
        "than a further file or the end of a tar. "
        "Allowed: a tar file with its end: two blocks of 512 zeros, and at most what fills up 10,240 bytes "
        "(tar -b 20). "
        "Next: fetch it again, or leave this shard out."
    )


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08\x00 a compressed one" * 40, None])
def test_what_is_no_tar_file_is_refused_by_name(tmp_path, content):
    if content is not None:
        (tmp_path / "0.tar").write_bytes(content)
    said = refused(f"webdataset:{tmp_path}/0.tar")
    assert said.startswith(f"The shard {tmp_path}/0.tar cannot be read. Found: ")
    assert said.endswith(
        "Allowed: a tar file that is not compressed. Next: check the path, and unpack a .tar.gz to .tar."
    )


def test_no_shard_no_picture_and_no_class_are_refused(tmp_path):
    assert refused(f"webdataset:{tmp_path}") == (
        f"webdataset:{tmp_path} names no shard. Found: no file of that name ending in .tar. "
        "Allowed: FILE.tar, a folder of them, a pattern such as train-{0000..0099}.tar or *.tar, or a URL of either. "
        "Next: check the path."
    )
    shard(tmp_path / "0.tar", [("a.json", b"{}")])
    assert refused(f"webdataset:{tmp_path}") == (
        f"The shards of webdataset:{tmp_path} hold no picture. Found: 1 shards with .json. "
        "Allowed: KEY.jpg (.png, .webp, ...) and KEY.cls beside each other. Next: check the shards with `tar -t`."
    )
    shard(tmp_path / "0.tar", [*samples(0, 2), ("b/x.png", png(7))])
    assert refused(f"webdataset:{tmp_path}") == (
        f"Every picture of a shard has its class beside it. Found: b/x.png in {tmp_path}/0.tar without b/x.cls. "
        "Allowed: KEY.cls, one after the other with KEY.jpg, holding a name or a number. "
        "Next: write it into the shard, or leave this picture out."
    )


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_only_a_shard_that_changed_is_read_again(shards, tmp_path, monkeypatch, scheme):
    monkeypatch.setattr("azeotrope.data.listing.kept_looks.SETTLED", -3600 * 10**9)
    spec, read = f"webdataset:{scheme}{shards}/part-{{0000..0001}}.tar", []
    from azeotrope.data.listing import look

    own = look.look_at

    def look_at(source, row, pixels, take):
        read.append(source.items[row].key)
        return own(source, row, pixels, take)

    monkeypatch.setattr("azeotrope.data.listing.scan.look_at", look_at)
    listed = lambda: scan(open_source(spec), threads=1, kept=kept_looks(tmp_path / "cache", spec))  # noqa: E731
    first = listed()
    assert len(read) == 10
    assert listed().fingerprint == first.fingerprint
    assert len(read) == 10
    shard(shards / "part-0001.tar", samples(100, 4))
    os.utime(shards / "part-0001.tar", (LONG_AGO, LONG_AGO + 5))
    again = listed()
    assert read[10:] == [f"part-0001.tar/{number:05d}.png" for number in range(100, 104)]
    assert again.fingerprint != first.fingerprint


def test_an_address_that_does_not_tell_changes_is_read_by_every_command():
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in samples(0, 4):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    memory.pipe_file("/azeotrope/0.tar", buffer.getvalue())
    source = open_source("webdataset:memory://azeotrope/0.tar")
    assert source.read(3) == png(3)
    assert source.stamp(3) is None


def test_two_shards_of_one_name_are_refused(tmp_path):
    for folder in ("day-0", "day-1"):
        shard(tmp_path / folder / "shard.tar", samples(0, 4))
    assert "shard.tar in 2 places" in refused(f"webdataset:{tmp_path}/day-{{0..1}}/shard.tar")


@pytest.mark.parametrize(
    ("lines", "said"), [("cat\ndog\ncat\n", "line 3 is 'cat' once more"), ("cat\n\ndog\n", "line 2 is empty")]
)
def test_a_list_of_classes_whose_numbers_would_shift_is_refused(shards, lines, said):
    (shards / "classes.txt").write_text(lines)
    assert said in refused(f"webdataset:{shards}")


@pytest.mark.parametrize("again", ["00000.cls", "00000.png", "00000.jpg"])
def test_a_key_that_comes_again_is_refused(tmp_path, again):
    """Its class would go to both pictures, and two pictures of one key would count as two images."""
    content = b"dog" if again.endswith("cls") else png(9)
    shard(tmp_path / "part-0000.tar", [*samples(0, 4), (again, content)])
    assert f"{again} in {tmp_path}/part-0000.tar, where 00000 has one already" in refused(f"webdataset:{tmp_path}")


@pytest.mark.parametrize("tail", [b"\0" * (3 << 20), b"\0" * 10_240 + b"more"], ids=["preallocated", "joined"])
def test_an_end_that_may_hide_pictures_is_refused(tmp_path, tail):
    path = shard(tmp_path / "part-0000.tar", samples(0, 4))
    with path.open("ab") as file:
        file.write(tail)
    assert "4 whole pictures" in refused(f"webdataset:{path}")


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_shard_made_large_beforehand_and_filled_in_part_is_refused(tmp_path, missing):
    """What is missing is zeros, however few, as a copy that was broken off leaves them."""
    path = shard(tmp_path / "part-0000.tar", samples(0, 9))
    with tarfile.open(path) as archive:
        first = archive.getmembers()[-2 * missing].offset
    content = path.read_bytes()
    path.write_bytes(content[:first] + bytes(len(content) + 10_240 - first))
    assert f"{9 - missing} whole pictures" in refused(f"webdataset:{path}")


def test_an_end_of_two_blocks_is_enough_and_one_is_none(tmp_path):
    """POSIX asks for two; only some writers fill up the record."""
    path = shard(tmp_path / "part-0000.tar", samples(0, 4))
    end = len(path.read_bytes().rstrip(b"\0"))
    end += -end % 512
    content = path.read_bytes()
    path.write_bytes(content[: end + 1024])
    assert len(open_source(f"webdataset:{path}").items) == 4
    path.write_bytes(content[: end + 512])
    assert "4 whole pictures" in refused(f"webdataset:{path}")


class Web:
    """As fsspec's file system of the web: a path is the whole address, and a signature must be there."""

    def __init__(self, folder):
        self.folder, self.sent = folder, 0

    def _file(self, path):
        address, _, query = path.partition("?")
        if not query and not address.endswith(".txt"):
            raise PermissionError("403")
        return self.folder / address.rpartition("/")[2]

    def invalidate_cache(self):
        """Nothing is remembered."""

    def unstrip_protocol(self, path):
        return path

    def info(self, path):
        return {"size": self._file(path).stat().st_size, "ETag": "1"}

    def open(self, path, mode):
        return self._file(path).open(mode)

    def get_file(self, path, to):
        self.sent += Path(to).write_bytes(self._file(path).read_bytes())

    def cat_file(self, path, start=None, end=None):
        content = self._file(path).read_bytes()[start:end]
        self.sent += len(content)
        return content


def test_what_signs_an_address_is_in_no_key_and_changes_nothing(shards, monkeypatch):
    (shards / "classes.txt").write_text("dog\ncat\n")
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda url: (Web(shards), url))
    first, second = (
        open_source(f"webdataset:https://host/a/part-0000.tar?Signature={signature}&Expires=1")
        for signature in ("aB%2Fc/d", "xY")
    )
    assert first.items[0].key == "part-0000.tar/00000.png"
    assert (first.name, first.classes) == ("part-0000", ("dog", "cat"))
    assert first.items == second.items
    assert first.stamp(0) == second.stamp(0)
    assert "Signature" not in str(first.stamp(0))
    assert first.read(2) == png(2)


def test_numbers_that_are_other_lines_too_are_refused(tmp_path):
    shard(tmp_path / "0.tar", samples(0, 4, ("0", "1")))
    (tmp_path / "classes.txt").write_text("0\n1\n2\n")
    assert open_source(f"webdataset:{tmp_path}").classes == ("0", "1", "2")
    (tmp_path / "classes.txt").write_text("7\n3\n")  # no number of a picture is a line
    assert open_source(f"webdataset:{tmp_path}").classes == ("7", "3")
    (tmp_path / "classes.txt").write_text("1\n2\n0\n")
    assert refused(f"webdataset:{tmp_path}") == (
        "A number in .cls means a line of classes.txt by its place, from 0. "
        "Found: .cls 0, which means '1' by its place, and is line 2 too. "
        "Allowed: names that are no such numbers, or 0, 1, 2, ... in their order. "
        "Next: take classes.txt away if .cls holds names, else give its lines other names."
    )


def test_links_are_counted_and_passed_over(tmp_path):
    path = shard(tmp_path / "part-0000.tar", samples(0, 4))
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("00009.png")
        link.type, link.linkname = tarfile.LNKTYPE, "00000.png"
        archive.addfile(link)
    (passed,) = open_source(f"webdataset:{path}").passed
    assert (passed.what, passed.count, passed.picture) == ("link .png", 1, True)


def test_an_empty_class_is_refused(tmp_path):
    shard(tmp_path / "part-0000.tar", [*samples(0, 4), ("00009.png", png(9)), ("00009.cls", b" ")])
    assert f"00009.png in {tmp_path}/part-0000.tar with an empty 00009.cls" in refused(f"webdataset:{tmp_path}")


def test_a_protocol_that_is_not_there_is_named():
    assert "install the package of its protocol" in refused("webdataset:nosuch://bucket/train-0000.tar")


def test_a_list_of_classes_that_cannot_be_fetched_is_no_missing_list(shards, monkeypatch):
    def times_out(*_, **__):
        raise TimeoutError("no answer")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.cat_file", times_out)
    assert "classes.txt beside" in refused(f"webdataset:{shards}")


def test_a_changed_shard_is_seen_by_address_too(shards, tmp_path):
    """Other content of the same size under the old time: the file system's time of change says it."""
    spec, path = f"webdataset:file://{shards}/part-0000.tar", shards / "part-0000.tar"
    kept = kept_looks(tmp_path / "cache", spec)
    first = scan(open_source(spec), kept=kept)
    content = bytearray(path.read_bytes())
    content[700] ^= 1
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert scan(open_source(spec), kept=kept).checksums != first.checksums
