"""Checkpoints: the whole state of a training between two epochs, written atomically, loaded without running code."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from azeotrope.record.storage.store import cannot_write, write_atomically

State = dict[str, Any]


def save(path: Path, state: State) -> None:
    """Replace the checkpoint. Survives a killed process; not flushed, since after a power cut the epoch is simply
    done again.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    try:
        write_atomically(path, buffer.getvalue(), durable=False)
    except OSError as error:
        raise cannot_write(path, error) from error


def load(path: Path) -> State | None:
    """The state, or None when there is no checkpoint or only a torn or damaged one: the training then starts afresh."""
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:  # torch writes checksums and does not look at them
                return None
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile):
        return None
    return state
