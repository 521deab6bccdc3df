import numpy as np
import pytest
import torchvision.datasets

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
