"""Folders named after parts of an archive are warned of, by check and before training."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def shards(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("data_0", "data_1"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{number}.png")
    return tmp_path / "set"


def test_check_warns(cli, shards):
    done = cli(
        "check", shards, "-s", "test_resnet", "--image-size", "32", "-n", "8", "--arms", "scratch", "--seeds", "1"
    )
    assert done.status == 0, done.err
    assert "names of the classes (data_0, data_1) look like the parts of an archive" in " ".join(done.out.split())


def test_compare_warns_and_says_why_there_is_no_time_against_pre_training(cli, shards, tiny, tmp_path):
    done = cli("compare", shards, *tiny, "-n", "8", "--arms", "scratch", "--seeds", "1", "--out", tmp_path / "out")
    assert done.status == 0, done.err
    said = " ".join(done.out.split())
    assert "look like the parts of an archive" in said
    assert "Time against pre-training and fine-tuning is not given: finetune is not among the arms" in said
