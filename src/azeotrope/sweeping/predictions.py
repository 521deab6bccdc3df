"""What each run said of each test image: `predictions/<run_id>.npz`, beside the records, for the report's examples."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.store import RunStore

_STORED = {"i": np.uint16, "f": np.float32}  # by kind of number: class numbers and values take less room so


def keep_predictions(store: RunStore, run_id: str, predictions: NDArray[Any]) -> None:
    """Store the answer on every test image, in manifest order: a class, yes or no for each class, or a value."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, predictions=predictions.astype(_STORED.get(predictions.dtype.kind, predictions.dtype)))
    store.write(_file(run_id), buffer.getvalue())


def predictions_of(out: str | Path, run_id: str) -> NDArray[Any] | None:
    """The stored predictions, or None when there are none."""
    stored = RunStore(str(out)).read(_file(run_id))
    if stored is None:
        return None
    with np.load(io.BytesIO(stored)) as content:
        return np.asarray(content["predictions"])


def _file(run_id: str) -> str:
    return f"predictions/{run_id}.npz"
