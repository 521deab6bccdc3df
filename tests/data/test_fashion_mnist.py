import gzip
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from azeotrope.data.sources import fashion_mnist
from azeotrope.data.sources.fashion_mnist import open_source
from azeotrope.errors import InputError

from .pictures import noise

COUNTS = {"train": 20, "t10k": 10}


def idx(array):
    return struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_set(folder, zipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (stem, count) in enumerate(COUNTS.items()):
        arrays = {
            "images-idx3-ubyte": noise(seed, (count, 28, 28)),
            "labels-idx1-ubyte": (np.arange(count) % 10).astype(np.uint8),
        }
        for kind, array in arrays.items():
            content = gzip.compress(idx(array)) if zipped else idx(array)
            (folder / f"{stem}-{kind}{'.gz' if zipped else ''}").write_bytes(content)


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """No Debian package, no network."""

    def no_network(root):
        raise OSError("no network in tests")

    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "no-package")
    monkeypatch.setattr(fashion_mnist, "_download", no_network)
    monkeypatch.delenv("AZEOTROPE_DATA", raising=False)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("below", [".", "fashion-mnist"])
def test_it_is_found_in_the_named_folder(elsewhere, monkeypatch, tmp_path, zipped, below):
    write_set(tmp_path / below, zipped)
    monkeypatch.setenv("AZEOTROPE_DATA", str(tmp_path))
    source = open_source("")
    assert [item.split for item in source.items] == ["train"] * 20 + ["test"] * 10
    assert [item.label for item in source.items[18:22]] == [8, 9, 0, 1]
    np.testing.assert_array_equal(source.read(21), noise(1, (10, 28, 28))[1])
    assert source.mirror


def test_it_is_found_where_debian_puts_it(elsewhere, monkeypatch, tmp_path):
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "package")
    write_set(tmp_path / "package", zipped=True)
    assert len(open_source("").items) == 30


def test_it_is_downloaded_when_it_is_nowhere(elsewhere, monkeypatch, tmp_path):
    def download(root):
        write_set(root / "raw")
        return root / "raw"

    monkeypatch.setenv("AZEOTROPE_DATA", str(tmp_path))
    monkeypatch.setattr(fashion_mnist, "_download", download)
    assert len(open_source("").items) == 30


def test_when_it_is_nowhere_all_three_places_are_named(elsewhere, tmp_path):
    with pytest.raises(InputError) as caught:
        open_source("")
    assert str(caught.value) == (
        "Fashion-MNIST was not found. Found: no complete set in $AZEOTROPE_DATA (not set), "
        f"none in {tmp_path}/no-package (Debian package dataset-fashion-mnist), "
        "and torchvision's download failed: no network in tests. "
        "Allowed: the four IDX files (gzipped or not) in any one of these places. "
        "Next: `apt install dataset-fashion-mnist`, or point AZEOTROPE_DATA at a folder that holds them,"
        " or use `digits`, which is always there."
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"not idx", "the first bytes are not those of an IDX file"),
        (idx(noise(0, (20, 28, 28)))[:-1], "15679 bytes of content where 15680 are announced"),
        (b"\0\0\x08", "the first bytes are not those of an IDX file"),
    ],
)
def test_a_damaged_file_is_named(elsewhere, monkeypatch, tmp_path, content, found):
    write_set(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    monkeypatch.setenv("AZEOTROPE_DATA", str(tmp_path))
    with pytest.raises(InputError, match=found) as caught:
        open_source("")
    assert str(tmp_path / "train-images-idx3-ubyte") in str(caught.value)


def test_files_that_do_not_belong_together_are_refused(elsewhere, monkeypatch, tmp_path):
    write_set(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(5, np.uint8)))
    monkeypatch.setenv("AZEOTROPE_DATA", str(tmp_path))
    with pytest.raises(InputError, match="Found: 30 images and 15 labels"):
        open_source("")


def test_it_takes_no_name():
    with pytest.raises(InputError, match=r"takes no name\. Found: 'small'"):
        open_source("small")


@pytest.fixture
def unreachable(elsewhere, monkeypatch, tmp_path):
    """A real process looks, with an empty folder and a network whose proxy refuses."""
    monkeypatch.setenv("AZEOTROPE_DATA", str(tmp_path / "empty"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")


def test_what_is_on_this_machine_is_at_hand_at_once(elsewhere, monkeypatch, tmp_path):
    write_set(tmp_path)
    monkeypatch.setenv("AZEOTROPE_DATA", str(tmp_path))
    assert fashion_mnist.at_hand(seconds=0)


def test_what_cannot_be_downloaded_is_not_at_hand(unreachable):
    if Path("/usr/share/datasets/fashion-mnist").exists():  # the other process looks there
        pytest.skip("the Debian package is installed here")
    assert not fashion_mnist.at_hand(seconds=60)


def test_a_download_that_takes_too_long_is_ended(unreachable):
    began = time.monotonic()
    assert not fashion_mnist.at_hand(seconds=0.2)
    assert time.monotonic() - began < 20
