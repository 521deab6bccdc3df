"""Files that are called pictures, tables or weights and are something else: what their first bytes say they are."""

from __future__ import annotations

from collections.abc import Mapping

_PAGE = ("a web page", "fetch the file itself, perhaps after signing in")
POINTERS_AND_PAGES: Mapping[bytes, tuple[str, str]] = {
    b"version https://git-lfs": ("a Git LFS pointer, not the file itself", "git lfs pull"),
    b"/annex/objects/": ("a git-annex pointer, not the file itself", "git annex get"),
    b"<!doctype": _PAGE,
    b"<html": _PAGE,
    b"<?xml": ("an XML answer of a server", _PAGE[1]),
}
"""How such a file begins, what it is, and what to do."""
WORKBOOKS: Mapping[bytes, tuple[str, str]] = {
    b"pk\x03\x04": ("a zip archive or a workbook (.xlsx, .ods)", "unpack it, or save the sheet as CSV in UTF-8"),
    b"\xd0\xcf\x11\xe0": ("a workbook (.xls)", "save the sheet as CSV in UTF-8"),
    b"\x1f\x8b": ("compressed with gzip", "unpack it"),
}
"""The same of files that people call a table."""


def called_by_name(start: bytes, known: Mapping[bytes, tuple[str, str]]) -> tuple[str, str] | None:
    """What a file with these first bytes is, and what to do; None where it is none of `known`."""
    lower = start[:64].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    return next((told for mark, told in known.items() if lower.startswith(mark)), None)
