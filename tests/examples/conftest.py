"""The stand-ins in a folder of their own, which commands are given in."""

import importlib.util
from pathlib import Path

import pytest
import torchvision.datasets

from . import stand_ins

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="session")
def tables():
    """The script that writes tables of official lists, as a module."""
    spec = importlib.util.spec_from_file_location("tables", EXAMPLES / "farhat-chen" / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def place(tmp_path_factory, tables):
    """A folder with every set: those of torchvision where AZEOTROPE_DATA says, the others as the plans name them."""
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AZEOTROPE_DATA", str(folder / "torchvision"))
        patched.chdir(folder)
        for module in (torchvision.datasets.cifar, torchvision.datasets.utils):  # whose checksums are of the real files
            patched.setattr(module, "check_integrity", lambda path, md5=None: Path(path).exists())
        for make in (stand_ins.cifar10, stand_ins.cifar100, stand_ins.dtd, stand_ins.caltech101):
            make()
        stand_ins.food101()
        stand_ins.sun397()
        stand_ins.cub(folder / "CUB_200_2011")
        stand_ins.mit67(folder / "mit67")
        stand_ins.imagenet(folder / "imagenet")
        tables.write("cub", Path("CUB_200_2011"))
        tables.write("mit67", Path("mit67"))
        yield folder
