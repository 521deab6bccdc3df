import numpy as np
import pytest
import torchvision.datasets
from PIL import Image

from azeotrope.data.sources.torchvision import SETS, open_source
from azeotrope.errors import InputError

from .pictures import noise, write_class_folders
from .test_fashion_mnist import write_set


@pytest.fixture(autouse=True)
def root(monkeypatch, tmp_path):
    monkeypatch.setenv("AZEOTROPE_DATA", str(tmp_path))
    return tmp_path


def test_a_set_with_splits_is_read_from_disk(root):
    write_set(root / "MNIST" / "raw")
    source = open_source("MNIST")
    assert [item.split for item in source.items] == ["train"] * 20 + ["test"] * 10
    np.testing.assert_array_equal(source.read(21), noise(1, (10, 28, 28))[1])
    assert source.classes[:2] == ("0 - zero", "1 - one")
    assert not source.mirror


def test_a_set_without_splits_is_read_from_disk(root):
    write_class_folders(root / "eurosat" / "2750", {"Forest": 2, "River": 1})
    source = open_source("EuroSAT")
    assert [(item.label, item.split) for item in source.items] == [(0, ""), (0, ""), (1, "")]
    np.testing.assert_array_equal(source.read(2), noise(3))
    assert source.mirror


@pytest.mark.parametrize("name", SETS)
def test_every_listed_set_is_one_of_torchvisions(name):
    assert isinstance(getattr(torchvision.datasets, name), type)


def test_an_unknown_set_offers_the_nearest():
    with pytest.raises(InputError) as caught:
        open_source("CIFAR1O")
    assert str(caught.value).startswith(
        "There is no image set of torchvision named 'CIFAR1O'. Allowed: nearest: CIFAR10, CIFAR100."
    )


def test_a_set_that_cannot_be_downloaded_names_the_place(root, monkeypatch):
    def no_network(self):
        raise RuntimeError("no network in tests")

    monkeypatch.setattr(torchvision.datasets.MNIST, "download", no_network)
    with pytest.raises(InputError) as caught:
        open_source("MNIST")
    assert str(caught.value) == (
        f"torchvision's MNIST is not in {root} and could not be downloaded. Found: no network in tests. "
        f"Next: put the set into {root} on a machine with a network, or point AZEOTROPE_DATA at it."
    )


def write_dtd(root):
    """Two textures of six images each; in partition p of the ten, image p % 6 is the one that tests."""
    folder = root / "dtd" / "dtd"
    write_class_folders(folder / "images", {"banded": 6, "dotted": 6})
    (folder / "labels").mkdir()
    for partition in range(1, 11):
        last = partition % 6
        places = {"test": [last], "val": [(last + 1) % 6], "train": [(last + step) % 6 for step in range(2, 6)]}
        for split, numbers in places.items():
            lines = [f"{name}/{number}.png" for name in ("banded", "dotted") for number in numbers]
            (folder / "labels" / f"{split}{partition}.txt").write_text("\n".join(lines))


def test_a_partition_of_dtd_is_chosen_by_query(root):
    write_dtd(root)
    first, third = open_source("DTD"), open_source("DTD?partition=3")
    assert (first.name, third.name) == ("torchvision:DTD", "torchvision:DTD?partition=3")
    assert [item.split for item in third.items] == ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    # Images are numbered class by class from seed 1: in partition 1 the second of each tests, in 3 the fourth.
    np.testing.assert_array_equal(first.read(10), noise(1 + 1))
    np.testing.assert_array_equal(third.read(10), noise(1 + 3))
    np.testing.assert_array_equal(third.read(11), noise(7 + 3))


@pytest.mark.parametrize("number", ["0", "11", "third", "-1"])
def test_a_partition_that_dtd_does_not_have_is_refused(number):
    with pytest.raises(InputError) as caught:
        open_source(f"DTD?partition={number}")
    assert str(caught.value) == (
        f"The partitions of torchvision:DTD are numbered. Found: partition={number}. Allowed: 1 to 10. "
        "Next: name one of these, or leave the query out for the first."
    )


def test_another_set_has_no_partitions():
    with pytest.raises(InputError, match=r"Found: 'partition=1' in 'partition=1'. Allowed: none for this set"):
        open_source("CIFAR10?partition=1")


def write_caltech(root, categories):
    folder = root / "caltech101" / "101_ObjectCategories"
    for place, (name, count) in enumerate(categories.items()):
        (folder / name).mkdir(parents=True)
        for number in range(1, count + 1):
            pixels = noise(100 * place + number)
            Image.fromarray(pixels if number > 1 else pixels[..., 0]).save(folder / name / f"image_{number:04d}.jpg")


def test_caltech_101_is_whole_and_without_its_background(root):
    write_caltech(root, {"BACKGROUND_Google": 2, "Faces": 3, "accordion": 2})
    source = open_source("Caltech101")
    assert source.classes == ("Faces", "accordion")
    assert [(item.label, item.split) for item in source.items] == [(0, ""), (0, ""), (0, ""), (1, ""), (1, "")]
    assert (source.read(0).shape, source.read(1).shape) == ((12, 16), (12, 16, 3))  # some are grey


def test_caltech_101_without_the_folder_that_torchvision_expects_says_so(root):
    write_caltech(root, {"Faces": 3, "accordion": 2})
    with pytest.raises(InputError) as caught:
        open_source("Caltech101")
    assert str(caught.value) == (
        f"torchvision cannot read the Caltech101 that is in {root}. Found: list.remove(x): x not in list. "
        "Allowed: the set as torchvision unpacks it, all of it. "
        "Next: unpack the archive again, whole, or move the folder away: it is then downloaded."
    )
