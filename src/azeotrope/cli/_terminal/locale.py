r"""Names and files are UTF-8, and a terminal gets the letters that it can show, whatever the locale says.

In another locale (`LC_ALL=C PYTHONUTF8=0`, ISO-8859-1 on a cluster) Python would read names of files in that
encoding. The program then starts once more in Python's UTF-8 mode (PEP 540), which cannot be switched on later.
"""

from __future__ import annotations

import io
import os
import sys

_TERMINAL = "AZEOTROPE_TERMINAL_ENCODING"  # from the first start to the second


def start_in_utf8() -> None:
    """Return where names of files are UTF-8 (always so on macOS and Windows), else start the program again so that they
    are.
    """
    if sys.getfilesystemencoding() == "utf-8" or not sys.executable or os.name != "posix":
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    terminal = getattr(sys.stdout, "encoding", None) or "ascii"
    told = {**os.environ, "PYTHONUTF8": "1", _TERMINAL: terminal}
    os.execve(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]], told)


def spell_out() -> None:
    r"""A terminal that has no letter for a name shows its number (`\\xfc`), rather than nothing and an error."""
    terminal = os.environ.pop(_TERMINAL, None)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if terminal:
            stream.reconfigure(encoding=terminal, errors="backslashreplace")
        elif stream.errors in ("strict", "surrogateescape"):  # the second in the locales C and POSIX
            stream.reconfigure(errors="backslashreplace")
