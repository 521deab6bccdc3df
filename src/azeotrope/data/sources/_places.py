"""Where this machine keeps what was fetched (image sets) and what was computed (packs, embeddings)."""

from __future__ import annotations

import getpass
import logging
import os
import tempfile
from functools import cache
from pathlib import Path

_log = logging.getLogger(__name__)


def data_root() -> Path:
    """`$AZEOTROPE_DATA`, or a folder in the user's cache."""
    named = os.environ.get("AZEOTROPE_DATA")
    return Path(named).expanduser() if named else _writable(Path("~/.cache/azeotrope").expanduser()) / "data"


def cache_root() -> Path:
    """Where packs and embeddings are kept: `$AZEOTROPE_CACHE`, else the user's cache folder. It may be deleted at any
    time.
    """
    named = os.environ.get("AZEOTROPE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return Path(named).expanduser() if named else _writable(base / "azeotrope")


@cache
def _writable(folder: Path) -> Path:
    """The folder, or where it cannot be written (a read-only home, a user without one) one for temporary files."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return folder
    instead = Path(tempfile.gettempdir()) / f"azeotrope-{_user()}"
    instead.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and instead.stat().st_uid != os.getuid():  # somebody else's
        instead = Path(tempfile.mkdtemp(prefix="azeotrope-"))
    _log.warning("%s cannot be written: %s takes its place (AZEOTROPE_CACHE names another)", folder, instead)
    return instead


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a number without a name, as in many containers
        return str(os.getuid()) if hasattr(os, "getuid") else "user"
