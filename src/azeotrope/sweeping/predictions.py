"""What each run said of each test image: `predictions/<run_id>.npz`, beside the records, for the report's examples."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azeotrope.record.store import cannot_write, write_atomically


def keep_predictions(out: Path, run_id: str, predictions: NDArray[np.int64]) -> None:
    """Store the predicted class of every test image, in manifest order."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, predictions=predictions.astype(np.uint16))
    try:
        write_atomically(_file(out, run_id), buffer.getvalue())
    except OSError as error:
        raise cannot_write(out, error) from error


def predictions_of(out: Path, run_id: str) -> NDArray[np.int64] | None:
    """The stored predictions, or None when there are none."""
    file = _file(out, run_id)
    if not file.exists():
        return None
    with np.load(file) as content:
        return np.asarray(content["predictions"], dtype=np.int64)


def _file(out: Path, run_id: str) -> Path:
    return out / "predictions" / f"{run_id}.npz"
