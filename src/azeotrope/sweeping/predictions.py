"""What each run said of each test image: `predictions/<run_id>.npz`, beside the records, for the report's examples."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.store import RunStore


def keep_predictions(store: RunStore, run_id: str, predictions: NDArray[np.int64]) -> None:
    """Store the predicted class of every test image, in manifest order."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, predictions=predictions.astype(np.uint16))
    store.write(_file(run_id), buffer.getvalue())


def predictions_of(out: str | Path, run_id: str) -> NDArray[np.int64] | None:
    """The stored predictions, or None when there are none."""
    stored = RunStore(str(out)).read(_file(run_id))
    if stored is None:
        return None
    with np.load(io.BytesIO(stored)) as content:
        return np.asarray(content["predictions"], dtype=np.int64)


def _file(run_id: str) -> str:
    return f"predictions/{run_id}.npz"
