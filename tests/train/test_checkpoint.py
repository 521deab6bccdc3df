import errno
import os
from pathlib import Path

import pytest
import torch

from azeotrope.errors import StoreError
from azeotrope.train import checkpoint

STATE = {"network": {"weight": torch.arange(1000.0)}, "epoch": 3, "best": (0.5, float("inf"))}


def test_what_is_saved_is_loaded(tmp_path):
    file = tmp_path / "new" / "checkpoint.pt"
    checkpoint.save(file, STATE)
    state = checkpoint.load(file)
    assert torch.equal(state["network"]["weight"], STATE["network"]["weight"])
    assert (state["epoch"], state["best"]) == (3, (0.5, float("inf")))
    assert [path.name for path in file.parent.iterdir()] == ["checkpoint.pt"]


def test_no_checkpoint_is_none(tmp_path):
    assert checkpoint.load(tmp_path / "checkpoint.pt") is None


@pytest.mark.parametrize("kept", [0, 1, 40, 0.5, 0.9, -1])
def test_a_torn_checkpoint_is_none(tmp_path, kept):
    file = tmp_path / "checkpoint.pt"
    checkpoint.save(file, STATE)
    size = file.stat().st_size
    os.truncate(file, size - 1 if kept == -1 else int(kept * size) if isinstance(kept, float) else kept)
    assert checkpoint.load(file) is None


def test_a_flipped_byte_is_never_loaded_as_if_it_were_right(tmp_path):
    """Anywhere in the file: none, or (in the padding between entries) the state as it was."""
    file = tmp_path / "checkpoint.pt"
    checkpoint.save(file, STATE)
    whole, refused = file.read_bytes(), 0
    places = range(0, len(whole), 37)
    for place in places:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        state = checkpoint.load(file)
        refused += state is None
        assert state is None or torch.equal(state["network"]["weight"], STATE["network"]["weight"])
    assert refused > len(places) / 2


@pytest.mark.parametrize("content", [b"\0" * 5000, b"not a checkpoint"])
def test_a_foreign_file_is_none(tmp_path, content):
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(content)
    assert checkpoint.load(file) is None


class Runs:
    def __reduce__(self):
        return (Path("ran").touch, ())


def test_a_checkpoint_never_runs_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"network": Runs()}, tmp_path / "checkpoint.pt")
    assert checkpoint.load(tmp_path / "checkpoint.pt") is None
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_said_and_the_old_checkpoint_stays(tmp_path, monkeypatch):
    file = tmp_path / "checkpoint.pt"
    checkpoint.save(file, STATE)

    def full(self, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match="The disk is full while writing"):
            checkpoint.save(file, {**STATE, "epoch": 4})
    assert checkpoint.load(file)["epoch"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
