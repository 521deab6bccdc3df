"""Truth: torchdistill 1.1.5, another implementation of the same papers (`pip install --no-deps torchdistill`)."""

import importlib.util
from pathlib import Path

import pytest
import torch

from azeotrope.testing.losses import random_signals

pytest.importorskip("torchdistill", reason="torchdistill is not installed: pip install --no-deps torchdistill")
FILE = Path(__file__).parents[2] / "benchmarks" / "torchdistill_values.py"


def benchmark():
    spec = importlib.util.spec_from_file_location("torchdistill_values", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCHMARK = benchmark()


@pytest.mark.parametrize("row", BENCHMARK.ROWS, ids=lambda row: row[0])
def test_values_are_theirs(row):
    for seed in range(3):
        torch.manual_seed(seed)
        ours, theirs = row[1](random_signals(BENCHMARK.BATCH, seed))
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
