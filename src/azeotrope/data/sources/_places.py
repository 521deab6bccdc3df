"""Where this machine keeps what was fetched (image sets) and what was computed (packs, embeddings)."""

from __future__ import annotations

import os
from pathlib import Path


def data_root() -> Path:
    """`$AZEOTROPE_DATA`, or a folder in the user's cache."""
    return Path(os.environ.get("AZEOTROPE_DATA") or "~/.cache/azeotrope/data").expanduser()


def cache_root() -> Path:
    """Where packs and embeddings are kept: `$AZEOTROPE_CACHE`, else the user's cache folder. It may be deleted at any
    time.
    """
    named = os.environ.get("AZEOTROPE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named).expanduser() if named else base / "azeotrope"
