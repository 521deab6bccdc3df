"""Where image sets that must be fetched are kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def data_root() -> Path:
    """`$AZEOTROPE_DATA`, or a folder in the user's cache."""
    return Path(os.environ.get("AZEOTROPE_DATA") or "~/.cache/azeotrope/data").expanduser()
