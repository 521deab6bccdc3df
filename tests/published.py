"""Where the published tables are: tests that use them skip, with a message, where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

_BESIDE = Path(__file__).parents[2] / "shared" / "data"


def published(name: str) -> pl.DataFrame:
    folder = Path(os.environ.get("AZEOTROPE_PUBLISHED_DATA") or _BESIDE)
    if not (folder / name).exists():
        pytest.skip(f"published data {name} not found: set AZEOTROPE_PUBLISHED_DATA or put it in {_BESIDE}")
    return pl.read_csv(folder / name)
