"""What all tests share: checked shapes, few threads, no user cache, and small things that are costly to make twice."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tests run side by side, on few cores

import pytest
from jaxtyping import install_import_hook

SHAPES_CHECKED = (
    "azeotrope.losses",
    "azeotrope.data.views",
    "azeotrope.train",
    "azeotrope.teacher",
    "azeotrope.models.network",
)
install_import_hook(SHAPES_CHECKED, "beartype.beartype")  # before these are imported


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Nothing is read from, or left in, the cache of the person who runs the tests."""
    monkeypatch.setenv("AZEOTROPE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def digits():
    """1,797 grey images of 8x8 pixels in ten classes."""
    from azeotrope.data.task import load_task

    return load_task("digits")


@pytest.fixture(scope="session")
def teacher_model(tmp_path_factory):
    """A teacher that needs no hub: random weights, stored. Random features carry digits well past the gate."""
    import timm
    import torch
    from safetensors.torch import save_file

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = timm.create_model("test_resnet").state_dict()
    file = tmp_path_factory.mktemp("weights") / "teacher.safetensors"
    save_file(weights, file)
    return f"timm:test_resnet@{file}"
