"""Where a table's paths lead, on this system and on Windows (by Python's own `ntpath`)."""

import ntpath
import posixpath
from types import SimpleNamespace

import pytest

from azeotrope.data.sources import table


def system(path):
    """What the module knows of a system: how paths are joined, and which files there are."""
    named = {name: getattr(path, name) for name in ("join", "dirname")}
    return SimpleNamespace(path=SimpleNamespace(**named), sep=path.sep)


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("C:\\data\\labels.csv", "cats\\1.png", "C:\\data\\cats\\1.png"),
        ("C:\\data\\labels.csv", "cats/1.png", "C:\\data\\cats/1.png"),  # both are separators there
        ("C:/data/labels.csv", "cats/1.png", "C:/data\\cats/1.png"),
        ("labels.csv", "cats\\1.png", "cats\\1.png"),
        ("C:\\data\\labels.csv", "D:\\pictures\\1.png", "D:\\pictures\\1.png"),
        ("C:\\data\\labels.csv", "\\\\server\\share\\1.png", "\\\\server\\share\\1.png"),
        ("C:\\data\\labels.csv", "https://host/1.png", "https://host/1.png"),
        ("s3://bucket/labels.csv", "cats/1.png", "s3://bucket/cats/1.png"),
    ],
)
def test_on_windows(monkeypatch, name, path, expected):
    monkeypatch.setattr(table, "os", system(ntpath))
    assert table._beside(name, path) == expected


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("/data/labels.csv", "cats/1.png", "/data/cats/1.png"),
        ("labels.csv", "cats/1.png", "cats/1.png"),
        ("/data/labels.csv", "/other/1.png", "/other/1.png"),
        ("/data/labels.csv", "~a.png", "/data/~a.png"),
        ("https://host/data/labels.csv", "cats/1.png", "https://host/data/cats/1.png"),
    ],
)
def test_elsewhere(monkeypatch, name, path, expected):
    monkeypatch.setattr(table, "os", system(posixpath))
    assert table._beside(name, path) == expected
